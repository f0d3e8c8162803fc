import { type Checkpoint, openCheckpoint, parseVerifierKey, type VerifierKey } from './checkpoint.js';
import { type HandOver, provesHandOver } from './key-hand-over.js';
import { verifyInclusion } from './proofs.js';
import type { AuditRecord } from './record.js';
import { HASH_BYTES, leafHash } from './tree.js';

/** That a record is in the log: all that an outsider with the key of the log needs. */
export interface Receipt {
  readonly index: number;
  /** The record as it was hashed. */
  readonly leaf: string;
  readonly proof: readonly Buffer[];
  /** The signed checkpoint whose tree the proof is about. */
  readonly checkpoint: string;
}

const TITLE = 'c2sp.org/tlog-proof@v1';
const BASE64 = '(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?';
const HEAD = new RegExp(`^extra (${BASE64})\\nindex (0|[1-9][0-9]{0,15})((?:\\n${BASE64})*)$`);

/** C2SP tlog-proof; its `extra` line carries the leaf. */
export function formatReceipt({ index, leaf, proof, checkpoint }: Receipt): string {
  const extra = Buffer.from(leaf, 'utf8').toString('base64');
  const hashes = proof.map((hash) => `${hash.toString('base64')}\n`).join('');
  return `${TITLE}\nextra ${extra}\nindex ${index}\n${hashes}\n${checkpoint}`;
}

/** @returns null for what is no receipt */
export function parseReceipt(text: string): Receipt | null {
  const end = text.indexOf('\n\n');
  if (!text.startsWith(`${TITLE}\n`) || end < 0) return null;
  const [, extra, index, hashes] = HEAD.exec(text.slice(TITLE.length + 1, end)) ?? [];
  if (extra === undefined || index === undefined || hashes === undefined) return null;
  const proof = hashes
    .split('\n')
    .slice(1)
    .map((line) => Buffer.from(line, 'base64'));
  if (!Number.isSafeInteger(Number(index)) || proof.some((hash) => hash.length !== HASH_BYTES)) return null;
  const leaf = Buffer.from(extra, 'base64').toString('utf8');
  return { index: Number(index), leaf, proof, checkpoint: text.slice(end + 2) };
}

/** What keeps a receipt from proving anything. */
export type ReceiptFault = 'malformed' | 'signature' | 'inclusion' | 'record';

export type ReceiptVerdict =
  | {
      readonly ok: true;
      readonly record: AuditRecord;
      readonly index: number;
      readonly checkpoint: Checkpoint;
    }
  | { readonly ok: false; readonly fault: ReceiptFault };

function recordIn(leaf: string): AuditRecord | null {
  try {
    const record = JSON.parse(leaf) as unknown;
    return typeof record === 'object' && record !== null && 'id' in record ? (record as AuditRecord) : null;
  } catch {
    return null;
  }
}

/** Holds a receipt against the keys of the log. Reads nothing but what it is given. */
export function verifyReceipt(text: string, keys: readonly VerifierKey[]): ReceiptVerdict {
  const receipt = parseReceipt(text);
  if (receipt === null) return { ok: false, fault: 'malformed' };
  const { index, leaf, proof } = receipt;
  const checkpoint = openCheckpoint(receipt.checkpoint, keys);
  if (checkpoint === null) return { ok: false, fault: 'signature' };
  if (!verifyInclusion(leafHash(leaf), index, checkpoint.size, proof, checkpoint.root))
    return { ok: false, fault: 'inclusion' };
  const record = recordIn(leaf);
  return record === null ? { ok: false, fault: 'record' } : { ok: true, record, index, checkpoint };
}

/**
 * The keys that are trusted, and every key that they, one after the other, handed the log over to.
 *
 * @throws RangeError when a hand-over names a malformed key
 */
export function followHandOvers(
  trusted: readonly VerifierKey[],
  handOvers: readonly HandOver[],
): VerifierKey[] {
  const keys = [...trusted];
  for (const handOver of handOvers) {
    const next = parseVerifierKey(handOver.to);
    if (keys.some((key) => key.name === next.name && provesHandOver(handOver, key))) keys.push(next);
  }
  return keys;
}
