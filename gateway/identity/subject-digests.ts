import { createHmac } from 'node:crypto';
import type { KeyRing } from './key-ring.js';
import type { SecretKey } from './signing-key.js';

/** White space of any kind, and what is written between letters without being seen. */
const UNSEEN = /[\s\u00ad\u200b-\u200f\u2060\ufeff]+/gu;

/**
 * The one spelling of an identifier: NFC, without white space, in upper case. Two systems that write the same number
 * differently must come to the same digest; dots, hyphens and leading zeros mean something and stay.
 */
export function normalIdentifier(text: string): string {
  return text.normalize('NFC').replaceAll(UNSEEN, '').toUpperCase();
}

function digest({ kid, secret }: SecretKey, kind: string, identifier: string): string {
  const hmac = createHmac('sha256', Buffer.from(secret, 'base64url'));
  return `${kid}:${kind}:${hmac.update(`${kind}\n${normalIdentifier(identifier)}`).digest('base64url')}`;
}

/** Turns identifiers of persons into what the record may hold of them. */
export class SubjectDigests {
  readonly #keys: Pick<KeyRing, 'subjectKey' | 'subjectKeys'>;

  constructor(keys: Pick<KeyRing, 'subjectKey' | 'subjectKeys'>) {
    this.#keys = keys;
  }

  /** As new records name it: `{key id}:{kind}:{HMAC-SHA-256, base64url}`. The kind is part of what is digested. */
  of(kind: string, identifier: string): string {
    return digest(this.#keys.subjectKey(), kind, identifier);
  }

  /** As any record may name it: one for each key that was ever used. */
  allOf(kind: string, identifier: string): string[] {
    return this.#keys.subjectKeys().map((key) => digest(key, kind, identifier));
  }
}
