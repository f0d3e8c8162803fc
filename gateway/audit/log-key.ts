import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { Recorder } from './record.js';

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

/** The recorder of a log whose key can change. */
export interface KeyedRecorder extends Recorder {
  /** All keys that may sign the log, oldest first; none of them signs before it was handed over to. */
  learnKeys(keys: readonly LogKey[]): void;
}
