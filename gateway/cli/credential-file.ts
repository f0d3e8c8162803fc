import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type ClientProof, type HttpApi, httpApi } from './api.js';
import type { MadeCredential } from './apply.js';
import { CommandFailure } from './failure.js';

function readKnown(path: string): MadeCredential[] {
  if (!existsSync(path)) return [];
  try {
    const known = JSON.parse(readFileSync(path, 'utf8')) as unknown;
    if (Array.isArray(known)) return known as MadeCredential[];
  } catch {
    // Said below; what the parser says could repeat a secret.
  }
  throw new CommandFailure(`${path} is there and holds no list of credentials`, 2);
}

/** What a system proves itself with; a person does that on the sign-in page alone. */
export type SystemCredential = Extract<MadeCredential, { auth: 'secret' | 'key' }>;

export const isOfSystem = (credential: MadeCredential): credential is SystemCredential =>
  credential.auth === 'secret' || credential.auth === 'key';

/**
 * The clients of a file of credentials, to take the steps that are theirs. It is read when it is asked, for the run
 * itself may have added to it.
 */
export function actorsOf(url: string, path: string | undefined): (clientId: string) => HttpApi | undefined {
  const known = new Map<string, HttpApi>();
  return (clientId) => {
    const found = known.get(clientId);
    if (found !== undefined || path === undefined) return found;
    const credential = readKnown(path)
      .filter(isOfSystem)
      .find(({ id }) => id === clientId);
    if (credential === undefined) return undefined;
    const api = httpApi({ url, clientId, proof: proofOf(credential) });
    known.set(clientId, api);
    return api;
  };
}

export function proofOf(credential: SystemCredential): ClientProof {
  return credential.auth === 'secret'
    ? { kind: 'secret', secret: credential.secret }
    : { kind: 'key', jwk: credential.jwk };
}

/**
 * Where new credentials are kept, readable by its owner alone. Each is on the disk before the next is made; a
 * newer one takes the place of the same account's older one.
 */
export function credentialFile(path: string): (credential: MadeCredential) => void {
  // A person, a channel and a system may have the same name.
  const keyOf = (one: MadeCredential) => `${isOfSystem(one) ? 'system' : one.auth} ${one.id}`;
  const kept = new Map(readKnown(path).map((credential) => [keyOf(credential), credential]));
  return (credential) => {
    kept.set(keyOf(credential), credential);
    const draft = `${path}.part`;
    writeFileSync(draft, `${JSON.stringify([...kept.values()], null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(draft, path);
  };
}
