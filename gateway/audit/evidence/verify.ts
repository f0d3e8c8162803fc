import { type Checkpoint, openCheckpoint, type VerifierKey } from '../checkpoint.js';
import { verifyConsistency } from '../proofs.js';
import { followHandOvers } from '../receipt.js';
import type { AuditRecord } from '../record.js';
import { BundleFault } from './fault.js';
import { type BundledRecord, type BundledWitness, FILES, type Manifest, witnessFile } from './format.js';
import { Digested, nodesIn, recordsIn, textOf } from './lines.js';
import { assertDigest, handOversIn, readHeld, readManifest, witnessIn } from './read-files.js';
import { Tally } from './tally.js';
import { walkProof } from './walk.js';
import { type BundleFiles, openBundle } from './zip-in.js';

/** The head of a log that a witness outside saw. */
export interface SeenHead {
  readonly name: string;
  readonly kind: string;
  readonly size: number;
  /** When, by its own word, milliseconds since the epoch; null where nothing was given to hold its evidence against. */
  readonly witnessedAt: number | null;
}

/**
 * Holds what a witness gave against what is trusted of it; null where nothing is.
 *
 * @throws BundleFault `evidence`
 */
export type EvidenceProver = (witness: BundledWitness) => Promise<number | null>;

export interface VerifiedBundle {
  /** What its maker says of it, unproved: who, when, by which filters. */
  readonly manifest: Manifest;
  readonly checkpoint: Checkpoint;
  /** Of the records that were proved. */
  readonly tally: Tally;
  /** Of the same history as the bundle. */
  readonly witnesses: readonly SeenHead[];
}

function keysFrom(bytes: Buffer, trusted: readonly VerifierKey[]): VerifierKey[] {
  try {
    return followHandOvers(trusted, handOversIn(bytes));
  } catch (error) {
    if (error instanceof RangeError) throw new BundleFault('malformed', `${FILES.keys} names no key`);
    throw error;
  }
}

function signedHead(note: string, keys: readonly VerifierKey[], manifest: Manifest): Checkpoint {
  const head = openCheckpoint(note, keys);
  if (head === null) throw new BundleFault('signature', 'no trusted key signed the checkpoint');
  if (head.origin !== manifest.origin || head.size !== manifest.size)
    throw new BundleFault('malformed', 'the manifest is about another checkpoint');
  return head;
}

/** Before the tree is looked at: as many as are said to be there, and each after the one before. */
async function countRecords(files: BundleFiles, manifest: Manifest): Promise<void> {
  let count = 0;
  let last = -1;
  for await (const { index } of recordsIn(files.stream(FILES.records), FILES.records)) {
    if (index <= last) throw new BundleFault('order', `the record stands after ${last}`, index);
    [count, last] = [count + 1, index];
  }
  if (count === manifest.records) return;
  throw new BundleFault('count', `the manifest counts ${manifest.records} records, here are ${count}`);
}

async function proveRecords(files: BundleFiles, manifest: Manifest, head: Checkpoint): Promise<Tally> {
  const tally = new Tally();
  const [records, nodes] = [FILES.records, FILES.proof].map((name) => new Digested(files.stream(name))) as [
    Digested,
    Digested,
  ];
  const count = ({ leaf, index }: BundledRecord): void => {
    try {
      tally.add(JSON.parse(leaf) as AuditRecord);
    } catch {
      throw new BundleFault('record', 'the leaf is no record', index);
    }
  };
  await walkProof(recordsIn(records, FILES.records), nodesIn(nodes, FILES.proof), head, count);
  assertDigest(manifest, FILES.records, records.digest());
  assertDigest(manifest, FILES.proof, nodes.digest());
  return tally;
}

/** @throws BundleFault `witness` unless the head that it names is one of this log */
function assertSeen(
  witness: BundledWitness,
  name: string,
  keys: readonly VerifierKey[],
  head: Checkpoint,
): void {
  const seen = openCheckpoint(witness.checkpoint, keys);
  const proof = witness.consistency.map((text) => Buffer.from(text, 'base64'));
  const [older, newer] = seen !== null && seen.size < head.size ? [seen, head] : [head, seen ?? head];
  const one =
    seen?.size === witness.size &&
    name === witnessFile(witness.name) &&
    verifyConsistency(older.size, newer.size, proof, older.root, newer.root);
  if (!one) throw new BundleFault('witness', `${name} is not about this log`);
}

async function verifyFiles(
  files: BundleFiles,
  trusted: readonly VerifierKey[],
  prove: EvidenceProver,
): Promise<VerifiedBundle> {
  const manifest = await readManifest(files);
  const held = (name: string): Promise<Buffer> => readHeld(files, manifest, name);
  await held(FILES.summary);
  const keys = keysFrom(await held(FILES.keys), trusted);
  const note = textOf(await held(FILES.checkpoint), FILES.checkpoint);
  const checkpoint = signedHead(note, keys, manifest);
  await countRecords(files, manifest);
  const tally = await proveRecords(files, manifest, checkpoint);
  const witnesses: SeenHead[] = [];
  for (const file of files.names.filter((one) => one.startsWith('witnesses/')).sort()) {
    const witness = witnessIn(await held(file), file);
    assertSeen(witness, file, keys, checkpoint);
    const { name, kind, size } = witness;
    witnesses.push({ name, kind, size, witnessedAt: await prove(witness) });
  }
  return { manifest, checkpoint, tally, witnesses };
}

/**
 * Holds a bundle against the keys that are trusted. Reads nothing but the file, and of it two records at a time.
 *
 * @param prove what becomes of the evidence of witnesses: it is for their own keys to prove
 * @throws BundleFault
 */
export async function verifyBundle(
  file: string,
  trusted: readonly VerifierKey[],
  prove: EvidenceProver = () => Promise.resolve(null),
): Promise<VerifiedBundle> {
  const files = await openBundle(file);
  try {
    return await verifyFiles(files, trusted, prove);
  } finally {
    files.close();
  }
}
