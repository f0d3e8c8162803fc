import { parseVerifierKey, type VerifierKey } from '../checkpoint.js';
import { handOverIn, provesHandOver } from '../key-hand-over.js';
import type { AuditRecord } from '../record.js';

function parsed(verifierKey: string): VerifierKey | null {
  try {
    return parseVerifierKey(verifierKey);
  } catch {
    return null;
  }
}

/**
 * Which key signs the log, followed from its beginning: one of those that are trusted signs the first checkpoint, and
 * each that follows must have been handed over to by the one before. The checkpoint over a hand-over bears the
 * signatures of both.
 */
export class KeysInForce {
  readonly #trusted: readonly VerifierKey[];
  /** In force since the last checkpoint, in order; before the first checkpoint, none until one hands over. */
  #inForce: VerifierKey[] = [];

  constructor(trusted: readonly VerifierKey[]) {
    this.#trusted = trusted;
  }

  /** Follows a hand-over. @returns false when the key before did not sign it */
  handOver(record: AuditRecord): boolean {
    const found = handOverIn(record);
    const next = found === null ? null : parsed(found.to);
    if (found === null || next === null) return false;
    const by = this.#inForce.at(-1) ?? this.#trusted.find((key) => provesHandOver(found, key));
    if (by === undefined || next.name !== by.name || !provesHandOver(found, by)) return false;
    this.#inForce = this.#inForce.length === 0 ? [by, next] : [...this.#inForce, next];
    return true;
  }

  /**
   * Whether every key in force since the last checkpoint signed this one; the last of them signs on.
   *
   * @param by hashes of the keys whose signature on it holds, hexadecimal
   */
  signed(by: readonly string[]): boolean {
    const signs = (key: VerifierKey): boolean => by.includes(key.keyHash.toString('hex'));
    if (this.#inForce.length === 0) this.#inForce = this.#trusted.filter(signs).slice(0, 1);
    const all = this.#inForce.every(signs);
    if (!all || this.#inForce.length === 0) return false;
    this.#inForce = this.#inForce.slice(-1);
    return true;
  }
}
