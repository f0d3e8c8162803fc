import { isUtf8 } from 'node:buffer';
import type { VerifierKey } from '../checkpoint.js';
import { HASH_BYTES, writeLeafHash } from '../tree.js';
import { type Agreeing, parsedAgreeing, plainlyAgreeing } from './agreement.js';
import { type CheckedChunk, checkBeside, type StoredBeside } from './chunk.js';
import { LogActs } from './log-acts.js';
import { bySeq, type SubjectsBySeq, subjectsAgree } from './subjects.js';

/** Neighbouring records that the store joined; null where it found none. */
export interface StoredJoin {
  /** Records whose stored digest has the length of one. */
  readonly count: number;
  /** For each record NUL, its leaf, a newline, and its columns as a JSON array, as `COLUMN_ARRAY` orders them. */
  readonly text: Buffer | null;
  /** Their stored digests, one after the other. */
  readonly hashes: Buffer | null;
}

/** All that is stored about a range of records, as few values. */
export interface JoinedChunk extends StoredBeside {
  /** Together all records of the chunk, in order. */
  readonly joins: Iterable<StoredJoin> | AsyncIterable<StoredJoin>;
}

const NEWLINE = 10;

/** Grows over the joins of a chunk for as long as all agrees. */
class JoinedCheck {
  readonly hashes: Buffer;
  readonly acts = new LogActs();
  readonly #from: number;
  readonly #to: number;
  readonly #subjects: SubjectsBySeq;
  #index: number;

  constructor({ from, to, subjects }: JoinedChunk) {
    this.hashes = Buffer.alloc((to - from) * HASH_BYTES);
    this.#subjects = bySeq(subjects);
    this.#from = from;
    this.#to = to;
    this.#index = from;
  }

  get complete(): boolean {
    return this.#index === this.#to;
  }

  add({ count, text, hashes }: StoredJoin): boolean {
    if (text === null || hashes === null || this.#index + count > this.#to || !isUtf8(text)) return false;
    const [first, chars] = [this.#index, text.toString('latin1')];
    for (let at = 0, end = 0; at < text.length; at = end) {
      if (this.#index === first + count) return false;
      const next = chars.indexOf('\0', at + 1);
      end = next < 0 ? text.length : next;
      if (!this.#addRecord(text, chars, at, end)) return false;
    }
    const start = (first - this.#from) * HASH_BYTES;
    const own = this.hashes.subarray(start, start + count * HASH_BYTES);
    return this.#index === first + count && own.equals(hashes);
  }

  #addRecord(text: Buffer, chars: string, at: number, end: number): boolean {
    const plain = plainlyAgreeing(chars, at + 1);
    // Neither what is plain nor an array of columns holds a newline: the last one ends the leaf, whatever that holds.
    const newline = plain === null ? text.lastIndexOf(NEWLINE, end - 1) : chars.indexOf('\n', at);
    if (newline < at) return false;
    const record = plain ?? this.#parsed(text, at + 1, newline, end);
    if (record === null || !subjectsAgree(record, this.#subjects.get(this.#index))) return false;
    // The NUL before a leaf is the byte that RFC 6962 hashes before it.
    writeLeafHash(text.subarray(at, newline), this.hashes, (this.#index++ - this.#from) * HASH_BYTES);
    return true;
  }

  #parsed(text: Buffer, at: number, newline: number, end: number): Agreeing | null {
    const record = parsedAgreeing(
      text.toString('utf8', at, newline),
      text.toString('utf8', newline + 1, end),
    );
    if (record !== null) this.acts.note(this.#index, record);
    return record;
  }
}

/**
 * Proves of a chunk, record by record, what `checkChunk` proves, but only says that all is well.
 *
 * @returns null where it is not: `checkChunk` says what is wrong
 */
export async function checkJoined(
  stored: JoinedChunk,
  keys: readonly VerifierKey[],
): Promise<CheckedChunk | null> {
  const check = new JoinedCheck(stored);
  for await (const join of stored.joins) if (!check.add(join)) return null;
  return check.complete ? checkBeside(stored, check.hashes, check.acts, keys) : null;
}
