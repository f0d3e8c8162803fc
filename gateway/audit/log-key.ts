import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** An Ed25519 key that signs checkpoints. */
export type LogKey = { readonly kid: string } & (
  | { readonly privateKeyPem: string }
  | { readonly privateJwk: JsonWebKey }
  | { readonly privateKey: KeyObject }
);

/** The key itself, in whichever form it was given. */
export function privateLogKey(logKey: LogKey): KeyObject {
  if ('privateKey' in logKey) return logKey.privateKey;
  return 'privateKeyPem' in logKey
    ? createPrivateKey(logKey.privateKeyPem)
    : createPrivateKey({ key: logKey.privateJwk, format: 'jwk' });
}
