import { noteSigner } from '../audit/checkpoint.js';
import { type HandOver, handOverRecord, signHandOver } from '../audit/key-hand-over.js';
import type { KeyedRecorder } from '../audit/log-key.js';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { KeyRing } from '../identity/key-ring.js';
import type { SigningKey } from '../identity/signing-key.js';
import type { Database } from '../store/database.js';

export interface LogKeyParts {
  readonly database: Database;
  readonly keyRing: Pick<KeyRing, 'version' | 'logKeys'>;
  readonly recorder: KeyedRecorder;
  readonly origin: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** How often it looks, milliseconds. */
  readonly everyMs?: number;
}

/** Watches the keys of the log. */
export interface LogKeyKeeper {
  close(): Promise<void>;
}

const EVERY_MS = 1000;

class Keeper implements LogKeyKeeper {
  readonly #parts: LogKeyParts;
  readonly #timer: NodeJS.Timeout;
  readonly #handedOver = new Set<string>();
  #version: number | undefined;
  #looking: Promise<void> | null = null;

  constructor(parts: LogKeyParts) {
    this.#parts = parts;
    this.#version = parts.keyRing.version;
    this.#timer = setInterval(() => this.#start(), parts.everyMs ?? EVERY_MS).unref();
    this.#start();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  #start(): void {
    this.#looking ??= this.#look()
      .catch((error: unknown) => this.#parts.log.warn({ err: error }, 'the log key could not be handed over'))
      .finally(() => (this.#looking = null));
  }

  /** The new key reaches the log's thread well before it signs: the ring publishes it that much earlier. */
  async #look(): Promise<void> {
    const { keyRing, recorder, clock } = this.#parts;
    const keys = keyRing.logKeys();
    if (this.#version !== keyRing.version) recorder.learnKeys(keys);
    this.#version = keyRing.version;
    for (const [i, next] of keys.entries()) {
      const before = keys[i - 1];
      if (before === undefined || this.#handedOver.has(next.kid)) continue;
      if (next.signsFrom > clock.now()) return;
      await this.#handOver(before, next);
      this.#handedOver.add(next.kid);
    }
  }

  async #handOver(before: SigningKey, next: SigningKey): Promise<void> {
    const { database, recorder, origin, log } = this.#parts;
    const record = handOverRecord(this.#signed(before, next), next.signsFrom);
    const known = await database.knex<{ id: string }>('records').where({ id: record.id }).first('id');
    if (known !== undefined) return;
    await recorder.write(record);
    log.info({ origin, kid: next.kid }, 'the log is signed by its next key');
  }

  #signed(before: SigningKey, next: SigningKey): HandOver {
    const { origin } = this.#parts;
    return signHandOver(
      noteSigner(origin, before.privateKey),
      noteSigner(origin, next.privateKey).verifierKey,
    );
  }
}

/**
 * Gives the log's thread every key that may sign, and hands the log over, by a record that the key before signed, when
 * a key's time has come. Every node does so; the log keeps one record, and each node signs with the key that it names.
 */
export function startLogKeys(parts: LogKeyParts): LogKeyKeeper {
  return new Keeper(parts);
}
