import type { KeyObject } from 'node:crypto';
import { noteKeys, type NoteSigner, noteSigner, parseVerifierKey } from './checkpoint.js';
import { LogError } from './log-error.js';

/** The keys that this node may sign the log with. Which of them does is the log's own word: its last checkpoint. */
export class LogSigners {
  readonly #origin: string;
  readonly #signers = new Map<string, NoteSigner>();

  /** @param keys oldest first: the first signs a log that is empty */
  constructor(origin: string, keys: readonly KeyObject[]) {
    this.#origin = origin;
    this.learn(keys);
  }

  learn(keys: readonly KeyObject[]): void {
    for (const key of keys) {
      const signer = noteSigner(this.#origin, key);
      const { keyHash } = parseVerifierKey(signer.verifierKey);
      if (!this.#signers.has(keyHash.toString('hex'))) this.#signers.set(keyHash.toString('hex'), signer);
    }
  }

  /**
   * Who signs after this checkpoint: its last signer in the log's name, to whom the log was handed over last.
   *
   * @param note none while the log is empty
   * @throws LogError `failed` while this node does not have that key
   */
  after(note: string | undefined): NoteSigner {
    const last = note === undefined ? undefined : noteKeys(note, this.#origin).at(-1);
    const [first] = this.#signers.values();
    const signer = note === undefined ? first : this.#signers.get(last ?? '');
    if (signer === undefined) throw new LogError('failed', 'this node lacks the key that signs the log now');
    return signer;
  }

  /** @throws LogError `failed` while this node does not have that key */
  named(verifierKey: string): NoteSigner {
    const signer = this.#signers.get(verifierKey.split('+')[1] ?? '');
    if (signer?.verifierKey !== verifierKey)
      throw new LogError('failed', 'this node lacks the key that the log is handed over to');
    return signer;
  }
}
