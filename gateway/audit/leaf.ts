import { hash } from 'node:crypto';
import { canonicalJson, canonicalRecord } from './canonical.js';
import type { AuditRecord } from './record.js';

/** The largest leaf that an entry bundle of C2SP tlog-tiles can hold. */
export const LEAF_BYTES = 65_535;
/** A UTF-16 unit is three bytes at most: shorter texts need no counting. */
const SURELY_FITS = Math.floor(LEAF_BYTES / 3);

const fits = (leaf: string): boolean =>
  leaf.length <= SURELY_FITS || Buffer.byteLength(leaf, 'utf8') <= LEAF_BYTES;

/** What stands for a value that is too large: its digest, over its RFC 8785 form, says which one it was. */
function digestOf(value: unknown): unknown {
  if (value === undefined || value === null) return value;
  const text = canonicalJson(value);
  return { sha256: hash('sha256', text, 'base64url'), bytes: Buffer.byteLength(text, 'utf8') };
}

/**
 * The leaf of a record. Where what an act changed makes it too large, before and after are
 * digested: the act itself is never lost.
 *
 * @throws TypeError for a record that has no canonical form, or is too large all the same
 */
export function leafOf(record: AuditRecord): string {
  const leaf = canonicalRecord(record);
  if (fits(leaf)) return leaf;
  const { target } = record;
  if (target === undefined) throw new TypeError('the record is too large');
  const { before, after, ...rest } = target;
  const kept = { ...rest, before: digestOf(before), after: digestOf(after) };
  const smaller = canonicalRecord({ ...record, target: kept });
  if (!fits(smaller)) throw new TypeError('the record is too large');
  return smaller;
}
