import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
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

/**
 * Where new credentials are kept, readable by its owner alone. Each is on the disk before the next is made; a
 * newer one takes the place of the same system's older one.
 */
export function credentialFile(path: string): (credential: MadeCredential) => void {
  const kept = new Map(readKnown(path).map((credential) => [credential.id, credential]));
  return (credential) => {
    kept.set(credential.id, credential);
    const draft = `${path}.part`;
    writeFileSync(draft, `${JSON.stringify([...kept.values()], null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(draft, path);
  };
}
