import { createReadStream } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { Decrypter } from 'age-encryption';
import { type Checkpoint, openCheckpoint, type VerifierKey } from '../checkpoint.js';
import { rootOfRange } from '../proofs.js';
import { followHandOvers } from '../receipt.js';
import { leafHash } from '../tree.js';
import { ArchiveFault } from './archive-fault.js';
import type { RecordClass } from './classes.js';
import {
  type ArchivedLeaf,
  digestOf,
  leavesOfBlock,
  readDescriptor,
  readLeaves,
  type SegmentLeaves,
} from './read-files.js';
import type { Segment, SegmentBlock, SegmentFile } from './segment.js';

/** What is known of the records of one class: each was held against the log, or their file by its digest, or there is none. */
export type FileVerdict = 'records' | 'digest' | 'absent';

export interface VerifiedSegment {
  readonly segment: Segment;
  readonly checkpoint: Checkpoint;
  readonly files: readonly { readonly file: SegmentFile; readonly verdict: FileVerdict }[];
}

export interface SegmentAsk {
  /** Path of the descriptor; the other files lie beside it. */
  readonly descriptor: string;
  /** Keys of the log that are trusted. */
  readonly trusted: readonly VerifierKey[];
  /** age identities (AGE-SECRET-KEY-…): without one, encrypted files are held against their digest only. */
  readonly identities?: readonly string[];
  /** Classes whose file may be absent: it was destroyed when its time was over, or is kept elsewhere. */
  readonly without?: readonly RecordClass[];
  /** Told of each record that was proved, in the order of its file. */
  readonly onRecord?: (one: ArchivedLeaf, file: SegmentFile) => void;
}

function signedHead(segment: Segment, trusted: readonly VerifierKey[]): Checkpoint {
  let keys: readonly VerifierKey[];
  try {
    keys = followHandOvers(trusted, segment.handOvers);
  } catch {
    throw new ArchiveFault(segment.from, 'the segment names a key that is none');
  }
  const head = openCheckpoint(segment.checkpoint, keys);
  if (head === null) throw new ArchiveFault(segment.from, 'no trusted key signed the checkpoint');
  if (head.origin === segment.origin && segment.from < segment.to && segment.to <= head.size) return head;
  throw new ArchiveFault(segment.from, 'the checkpoint is not about these records');
}

async function provedLeaves(folder: string, segment: Segment, head: Checkpoint): Promise<SegmentLeaves> {
  const { from, to, proof } = segment;
  const found = await readLeaves(folder, segment);
  const around = new Map(proof.map((one) => [`${one.from}-${one.to}`, Buffer.from(one.hash, 'base64')]));
  const root =
    found.count === to - from
      ? rootOfRange(found.hashes(), [from, to], head.size, ([a, b]) => around.get(`${a}-${b}`))
      : null;
  if (root?.equals(head.root) !== true)
    throw new ArchiveFault(from, 'the leaves and their proof are not those of the tree that was signed');
  return found;
}

/** Cuts a stream into the blocks that the descriptor names. */
async function* packedBlocks(
  chunks: AsyncIterable<Uint8Array>,
  { blocks, name }: SegmentFile,
): AsyncGenerator<readonly [SegmentBlock, Buffer]> {
  let held = Buffer.alloc(0);
  let next = 0;
  for await (const chunk of chunks) {
    held = Buffer.concat([held, chunk]);
    for (
      let block = blocks[next];
      block !== undefined && held.length >= block.bytes;
      block = blocks[++next]
    ) {
      yield [block, held.subarray(0, block.bytes)];
      held = held.subarray(block.bytes);
    }
  }
  const block = blocks[next];
  if (block !== undefined || held.length > 0)
    throw new ArchiveFault(
      block?.first ?? blocks[0]?.first ?? 0,
      `${name} holds more or fewer blocks than it says`,
    );
}

async function clear(path: string, { encryption, name, blocks }: SegmentFile, identities: readonly string[]) {
  const file = createReadStream(path);
  if (encryption === null) return file as AsyncIterable<Uint8Array>;
  const decrypter = new Decrypter();
  for (const one of identities) decrypter.addIdentity(one);
  try {
    return await decrypter.decrypt(Readable.toWeb(file) as ReadableStream<Uint8Array>);
  } catch {
    file.destroy();
    throw new ArchiveFault(blocks[0]?.first ?? 0, `${name} is not encrypted to any of these identities`);
  }
}

/** Every record of a file, held against the leaves: none other, and none of its class left out. */
async function proveRecords(
  folder: string,
  file: SegmentFile,
  { from, to }: Segment,
  leaves: SegmentLeaves,
  { identities = [], onRecord }: SegmentAsk,
): Promise<void> {
  let expected = from;
  let count = 0;
  const nextOfClass = (): void => {
    while (expected < to && leaves.classAt(expected - from) !== file.class) expected++;
  };
  const chunks = await clear(join(folder, file.name), file, identities);
  for await (const [block, packed] of packedBlocks(chunks, file))
    for (const one of await leavesOfBlock(packed, block, file.name)) {
      nextOfClass();
      if (one.index !== expected)
        throw new ArchiveFault(Math.min(expected, one.index), `${file.name} leaves out record ${expected}`);
      if (!leafHash(one.leaf).equals(leaves.hashAt(one.index - from)))
        throw new ArchiveFault(one.index, `${file.name} holds another record ${one.index} than was sealed`);
      onRecord?.(one, file);
      count++;
      expected++;
    }
  nextOfClass();
  if (count !== file.records)
    throw new ArchiveFault(
      file.blocks[0]?.first ?? from,
      `${file.name} holds another number of records than it says`,
    );
  if (expected < to) throw new ArchiveFault(expected, `${file.name} leaves out record ${expected}`);
}

async function verifyFile(
  folder: string,
  segment: Segment,
  file: SegmentFile,
  leaves: SegmentLeaves,
  ask: SegmentAsk,
): Promise<FileVerdict> {
  const first = file.blocks[0]?.first ?? segment.from;
  const digest = await digestOf(folder, file.name);
  if (digest === null && ask.without?.includes(file.class) === true) return 'absent';
  if (digest === null) throw new ArchiveFault(first, `${file.name} is missing`);
  const opened = file.encryption === null || (ask.identities ?? []).length > 0;
  // What can be read is read before its digest is looked at: it names the record.
  if (opened) await proveRecords(folder, file, segment, leaves, ask);
  if (digest.bytes !== file.bytes || digest.sha256 !== file.sha256)
    throw new ArchiveFault(first, `${file.name} is not the file that was sealed`);
  return opened ? 'records' : 'digest';
}

/** A class that occurs must have its file named, or a descriptor could leave one out. */
function assertEveryClass(segment: Segment, leaves: SegmentLeaves): void {
  const named = new Set<RecordClass | undefined>(segment.files.map((file) => file.class));
  for (let at = 0; at < leaves.count; at++)
    if (!named.has(leaves.classAt(at)))
      throw new ArchiveFault(segment.from + at, `no file holds the class of record ${segment.from + at}`);
}

/**
 * Verifies a sealed segment with nothing but its files and the keys it is given: no database, no network.
 *
 * @throws ArchiveFault that names the first record concerned
 */
export async function verifySegment(ask: SegmentAsk): Promise<VerifiedSegment> {
  const folder = dirname(ask.descriptor);
  const read = await readDescriptor(folder, basename(ask.descriptor));
  if (read === null) throw new ArchiveFault(0, `${ask.descriptor} is no descriptor of a segment`);
  const { segment } = read;
  const checkpoint = signedHead(segment, ask.trusted);
  const leaves = await provedLeaves(folder, segment, checkpoint);
  assertEveryClass(segment, leaves);
  const files = [];
  for (const file of segment.files)
    files.push({ file, verdict: await verifyFile(folder, segment, file, leaves, ask) });
  return { segment, checkpoint, files };
}
