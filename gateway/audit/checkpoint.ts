import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

/** The head of the log at one size, C2SP tlog-checkpoint. */
export interface Checkpoint {
  /** Names the log for ever; also the name of the key that signs. */
  readonly origin: string;
  /** Leaves in the tree. */
  readonly size: number;
  readonly root: Buffer;
}

const ED25519 = 0x01;
const SIGNATURE_BYTES = 64;
const PUBLIC_BYTES = 32;
// The fixed DER head of an Ed25519 SubjectPublicKeyInfo (RFC 8410); the 32 bytes of the key follow.
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A key that may sign checkpoints, as one who verifies knows it. */
export interface VerifierKey {
  readonly name: string;
  /** First four bytes of SHA-256(name || 0x0A || 0x01 || key). */
  readonly keyHash: Buffer;
  readonly key: KeyObject;
}

/** Signs notes in the name of one log. */
export interface NoteSigner {
  readonly name: string;
  /** C2SP vkey, `name+hash+key`: all that an outsider needs in order to verify. */
  readonly verifierKey: string;
  /** @param text ends with a newline */
  sign(text: string): string;
}

/**
 * The name of a key must be non-empty, without spaces and without `+`.
 *
 * @throws RangeError when it is not
 */
export function checkName(name: string): string {
  if (!/^[^\s+]+$/u.test(name)) throw new RangeError('a log origin holds no spaces and no plus sign');
  return name;
}

function rawPublicKey(key: KeyObject): Buffer {
  const der = (key.type === 'public' ? key : createPublicKey(key)).export({ format: 'der', type: 'spki' });
  if (der.length !== SPKI_HEAD.length + PUBLIC_BYTES || !der.subarray(0, SPKI_HEAD.length).equals(SPKI_HEAD))
    throw new TypeError('the log is signed with an Ed25519 key');
  return der.subarray(SPKI_HEAD.length);
}

function keyHashOf(name: string, typed: Buffer): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typed]), 'buffer').subarray(0, 4);
}

/**
 * The C2SP vkey of a key, `name+hash+base64(0x01||key)`.
 *
 * @param key private or public Ed25519 key
 */
export function verifierKeyText(name: string, key: KeyObject): string {
  const typed = Buffer.concat([Buffer.from([ED25519]), rawPublicKey(key)]);
  return `${checkName(name)}+${keyHashOf(name, typed).toString('hex')}+${typed.toString('base64')}`;
}

/**
 * Reads a C2SP vkey.
 *
 * @throws RangeError when it is malformed, of another kind than Ed25519, or its hash is not its own
 */
export function parseVerifierKey(text: string): VerifierKey {
  const parts = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text);
  const [, name, hashText, keyText] = parts ?? [];
  if (name === undefined || hashText === undefined || keyText === undefined || !BASE64.test(keyText))
    throw new RangeError('malformed verifier key');
  const typed = Buffer.from(keyText, 'base64');
  if (typed.length !== 1 + PUBLIC_BYTES || typed[0] !== ED25519)
    throw new RangeError('the verifier key is not an Ed25519 key');
  const keyHash = keyHashOf(name, typed);
  if (keyHash.toString('hex') !== hashText) throw new RangeError('the hash of the verifier key is wrong');
  const der = Buffer.concat([SPKI_HEAD, typed.subarray(1)]);
  return { name, keyHash, key: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
}

/** @param privateKey Ed25519 */
export function noteSigner(name: string, privateKey: KeyObject): NoteSigner {
  const verifierKey = verifierKeyText(name, privateKey);
  const { keyHash } = parseVerifierKey(verifierKey);
  return {
    name,
    verifierKey,
    sign(text) {
      const signature = Buffer.concat([keyHash, sign(null, Buffer.from(text), privateKey)]);
      return `${text}\n\u2014 ${name} ${signature.toString('base64')}\n`;
    },
  };
}

/** The text that is signed: origin, size and root, one line each. */
export function checkpointBody(checkpoint: Checkpoint): string {
  return `${checkpoint.origin}\n${checkpoint.size}\n${checkpoint.root.toString('base64')}\n`;
}

/** A checkpoint as a signed note, with one signature line for each signer, in order. */
export function signCheckpoint(
  checkpoint: Omit<Checkpoint, 'origin'>,
  signer: NoteSigner,
  ...others: readonly NoteSigner[]
): string {
  const body = checkpointBody({ ...checkpoint, origin: signer.name });
  return signer.sign(body) + others.map((other) => other.sign(body).slice(body.length + 1)).join('');
}

/** The key hashes, in hex and in order, of the signature lines that bear this name. Says nothing about who signed. */
export function noteKeys(note: string, name: string): string[] {
  const lines = note.slice(note.lastIndexOf('\n\n') + 2).split('\n');
  return lines
    .map((line) => line.split(' '))
    .filter(([dash, named]) => dash === '\u2014' && named === name)
    .map(([, , encoded = '']) => Buffer.from(encoded, 'base64').subarray(0, 4).toString('hex'));
}

/**
 * The text of a signed note, once at least one known key has signed it; null when none has, or when a known
 * key's signature is false. Signatures of unknown keys (witnesses) are passed over, as the format asks.
 */
export function openNote(note: string, known: readonly VerifierKey[]): string | null {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) return null;
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2, -1).split('\n');
  let signed = false;
  for (const line of lines) {
    const parts = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line);
    if (parts === null) return null;
    const [, name, encoded] = parts as unknown as [string, string, string];
    const verdict = signatureHolds(text, name, encoded, known);
    if (verdict === false) return null;
    if (verdict === true) signed = true;
  }
  return signed ? text : null;
}

/** Null: the key is unknown, so nothing can be said. */
function signatureHolds(
  text: string,
  name: string,
  encoded: string,
  known: readonly VerifierKey[],
): boolean | null {
  if (!BASE64.test(encoded)) return false;
  const bytes = Buffer.from(encoded, 'base64');
  const verifier = known.find((one) => one.name === name && one.keyHash.equals(bytes.subarray(0, 4)));
  if (verifier === undefined) return null;
  return (
    bytes.length === 4 + SIGNATURE_BYTES && verify(null, Buffer.from(text), verifier.key, bytes.subarray(4))
  );
}

/** The checkpoint in a note's text; null when it is not one. Lines after the third are extensions, allowed and ignored. */
export function parseCheckpoint(text: string): Checkpoint | null {
  const [origin, sizeText, rootText] = text.split('\n');
  if (origin === undefined || sizeText === undefined || rootText === undefined || origin === '') return null;
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(sizeText) || !BASE64.test(rootText)) return null;
  const size = Number(sizeText);
  const root = Buffer.from(rootText, 'base64');
  return Number.isSafeInteger(size) && root.length === 32 ? { origin, size, root } : null;
}

/**
 * Reads and verifies a signed checkpoint.
 *
 * @returns null unless a known key of that very origin signed it
 */
export function openCheckpoint(note: string, known: readonly VerifierKey[]): Checkpoint | null {
  const origin = note.slice(0, note.indexOf('\n'));
  const text = openNote(
    note,
    known.filter((one) => one.name === origin),
  );
  return text === null ? null : parseCheckpoint(text);
}
