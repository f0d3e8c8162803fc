import { z } from 'zod';
import { hash } from 'node:crypto';
import type { HandOver } from '../key-hand-over.js';
import { BundleFault } from './fault.js';
import {
  BUNDLE_FORMAT,
  BUNDLE_VERSION,
  type BundledWitness,
  type FileDigest,
  FILES,
  type Manifest,
} from './format.js';
import { textOf } from './lines.js';
import type { BundleFiles } from './zip-in.js';

const place = z.number().int().nonnegative();
const digest = z.strictObject({ bytes: place, sha256: z.string().regex(/^[0-9a-f]{64}$/) });
const manifestForm = z.strictObject({
  format: z.literal(BUNDLE_FORMAT),
  version: z.literal(BUNDLE_VERSION),
  made: z.string(),
  maker: z.strictObject({ name: z.string(), agency: z.string() }),
  scope: z.record(z.string(), z.unknown()),
  filters: z.record(z.string(), z.unknown()),
  cut: z.boolean(),
  records: place,
  origin: z.string(),
  size: place,
  files: z.record(z.string(), digest),
});
const keysForm = z.object({
  origin: z.string(),
  handOvers: z.array(z.object({ from: z.string(), to: z.string(), note: z.string() })),
});
const witnessForm = z.strictObject({
  name: z.string(),
  kind: z.string(),
  at: z.string(),
  size: place,
  checkpoint: z.string(),
  consistency: z.array(z.string()).max(64),
  form: z.enum(['text', 'base64']),
  evidence: z.string(),
});

function parsedAs<T>(form: z.ZodType<T>, bytes: Buffer, name: string): T {
  let value: unknown;
  try {
    value = JSON.parse(textOf(bytes, name));
  } catch {
    value = undefined;
  }
  const { success, data } = form.safeParse(value);
  if (!success) throw new BundleFault('malformed', `${name} is not of its form`);
  return data;
}

/** @throws BundleFault `malformed` unless it names every other file, and none that is not there */
export async function readManifest(files: BundleFiles): Promise<Manifest> {
  const manifest = parsedAs(manifestForm, await files.held(FILES.manifest), FILES.manifest);
  const [there, named] = [files.names.filter((name) => name !== FILES.manifest), Object.keys(manifest.files)];
  if (there.sort().join('\n') !== named.sort().join('\n'))
    throw new BundleFault('malformed', 'the manifest names other files than are there');
  return manifest;
}

/** @throws BundleFault `digest` */
export function assertDigest({ files }: Manifest, name: string, { bytes, sha256 }: FileDigest): void {
  const said = files[name];
  if (said?.bytes !== bytes || said.sha256 !== sha256)
    throw new BundleFault('digest', `${name} is not the file that the manifest names`);
}

/** A small file that is the one that the manifest names. */
export async function readHeld(files: BundleFiles, manifest: Manifest, name: string): Promise<Buffer> {
  const bytes = await files.held(name);
  assertDigest(manifest, name, { bytes: bytes.length, sha256: hash('sha256', bytes, 'hex') });
  return bytes;
}

export const handOversIn = (bytes: Buffer): readonly HandOver[] =>
  parsedAs(keysForm, bytes, FILES.keys).handOvers;

export const witnessIn = (bytes: Buffer, name: string): BundledWitness => parsedAs(witnessForm, bytes, name);
