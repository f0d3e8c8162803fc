import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto';

const COSIGNATURE = 0x04;
const PUBLIC_BYTES = 32;
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_HASH_BYTES = 4;
const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

/** A witness's key, as its vkey says it. */
export interface WitnessKey {
  readonly name: string;
  readonly keyHash: Buffer;
  readonly key: KeyObject;
}

/**
 * Reads the vkey of a witness, `name+hash+base64(0x04||key)`, C2SP tlog-cosignature.
 *
 * @throws RangeError when it is malformed, of another kind, or its hash is not its own
 */
export function parseWitnessKey(text: string): WitnessKey {
  const [, name = '', hashText, keyText = ''] =
    /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text) ?? [];
  const typed = Buffer.from(keyText, 'base64');
  if (typed.length !== 1 + PUBLIC_BYTES || typed[0] !== COSIGNATURE)
    throw new RangeError('the verifier key of a witness is an Ed25519 cosignature key (kind 4)');
  const digest = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typed]), 'buffer');
  const keyHash = digest.subarray(0, KEY_HASH_BYTES);
  if (keyHash.toString('hex') !== hashText) throw new RangeError('the hash of the verifier key is wrong');
  const der = Buffer.concat([SPKI_HEAD, typed.subarray(1)]);
  return { name, keyHash, key: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
}

/**
 * When a witness cosigned a checkpoint, C2SP tlog-cosignature `cosignature/v1`.
 *
 * @param text the signed text of the checkpoint, with its last newline
 * @param line a signature line of a note
 * @returns seconds since the epoch; null unless the line is a cosignature by this key over this text
 */
export function cosignedAt(text: string, line: string, witness: WitnessKey): number | null {
  const [, name, encoded = ''] = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (name !== witness.name || bytes.length !== KEY_HASH_BYTES + TIME_BYTES + SIGNATURE_BYTES) return null;
  if (!bytes.subarray(0, KEY_HASH_BYTES).equals(witness.keyHash)) return null;
  const time = Number(bytes.readBigUInt64BE(KEY_HASH_BYTES));
  const signed = Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
  return verify(null, signed, witness.key, bytes.subarray(KEY_HASH_BYTES + TIME_BYTES)) ? time : null;
}
