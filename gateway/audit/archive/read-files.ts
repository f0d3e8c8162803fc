import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { FileDigest } from '../evidence/format.js';
import { HASH_BYTES } from '../tree.js';
import { ArchiveFault } from './archive-fault.js';
import { RECORD_CLASSES, type RecordClass } from './classes.js';
import {
  isSegmentFile,
  LINE_BYTES,
  MOST_DESCRIPTOR_BYTES,
  parseSegment,
  parseSegmentLine,
  type Segment,
  type SegmentBlock,
} from './segment.js';

const unzip = promisify(gunzip);

export interface ArchivedLeaf {
  readonly index: number;
  readonly leaf: string;
}

async function bytesAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await handle.read(bytes, 0, length, offset);
  return bytes.subarray(0, bytesRead);
}

/**
 * The records of one block, as the file has them; whether they are those of the log, their hashes tell.
 *
 * @throws ArchiveFault where the file is not what its descriptor says
 */
export async function leavesOfBlock(
  packed: Buffer,
  block: SegmentBlock,
  name: string,
): Promise<ArchivedLeaf[]> {
  const unpacked = await unzip(packed, { maxOutputLength: block.records * LINE_BYTES }).catch(() => {
    throw new ArchiveFault(block.first, `${name} cannot be unpacked`);
  });
  const found: ArchivedLeaf[] = [];
  for (const line of unpacked.toString('utf8').split('\n').slice(0, -1)) {
    const one = parseSegmentLine(line);
    const index = (found.at(-1)?.index ?? block.first - 1) + 1;
    if (one === null || one.index < index || one.index > block.last)
      throw new ArchiveFault(index, `${name} holds a line that is no record of its place`);
    found.push(one);
  }
  if (found.length === block.records && found[0]?.index === block.first && found.at(-1)?.index === block.last)
    return found;
  throw new ArchiveFault(block.first, `${name} holds other records than its descriptor says`);
}

/** Reads blocks of a file that is not encrypted. */
export class BlockFile {
  readonly #name: string;
  readonly #handle: FileHandle;

  private constructor(name: string, handle: FileHandle) {
    [this.#name, this.#handle] = [name, handle];
  }

  static async open(folder: string, name: string): Promise<BlockFile> {
    return new BlockFile(name, await open(join(folder, name), 'r'));
  }

  /** @throws ArchiveFault */
  async read(block: SegmentBlock): Promise<ArchivedLeaf[]> {
    return await leavesOfBlock(await bytesAt(this.#handle, block.offset, block.bytes), block, this.#name);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** What a file is now; null where there is none. */
export async function digestOf(folder: string, name: string): Promise<FileDigest | null> {
  const sum = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(join(folder, name)) as AsyncIterable<Buffer>) {
      sum.update(chunk);
      bytes += chunk.length;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return { bytes, sha256: sum.digest('hex') };
}

export interface ReadDescriptor {
  readonly segment: Segment;
  readonly sha256: string;
}

/** @returns null where it is not there, or is none */
export async function readDescriptor(folder: string, name: string): Promise<ReadDescriptor | null> {
  if (!isSegmentFile(name)) return null;
  const path = join(folder, name);
  try {
    if ((await stat(path)).size > MOST_DESCRIPTOR_BYTES) return null;
    const bytes = await readFile(path);
    const segment = parseSegment(bytes.toString('utf8'));
    return segment === null ? null : { segment, sha256: hash('sha256', bytes, 'hex') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** One entry for each record: its class, and its RFC 6962 leaf hash. */
export const ENTRY_BYTES = 1 + HASH_BYTES;

/** Of every record of a segment, also of those whose file is encrypted or gone. */
export class SegmentLeaves {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get count(): number {
    return Math.floor(this.#bytes.length / ENTRY_BYTES);
  }

  /** @param at from the beginning of the segment */
  classAt(at: number): RecordClass | undefined {
    return RECORD_CLASSES[this.#bytes[at * ENTRY_BYTES] ?? RECORD_CLASSES.length];
  }

  hashAt(at: number): Buffer {
    return this.#bytes.subarray(at * ENTRY_BYTES + 1, (at + 1) * ENTRY_BYTES);
  }

  /** All hashes, one after the other. */
  hashes(): Buffer {
    const all = Buffer.alloc(this.count * HASH_BYTES);
    for (let at = 0; at < this.count; at++) this.hashAt(at).copy(all, at * HASH_BYTES);
    return all;
  }
}

/** @throws ArchiveFault unless the file is the one that the descriptor names */
export async function readLeaves(folder: string, { from, leaves }: Segment): Promise<SegmentLeaves> {
  const bytes = await readFile(join(folder, leaves.name)).catch(() => null);
  if (bytes === null) throw new ArchiveFault(from, `${leaves.name} is missing`);
  if (bytes.length !== leaves.bytes || hash('sha256', bytes, 'hex') !== leaves.sha256)
    throw new ArchiveFault(from, `${leaves.name} is not the file that was sealed`);
  return new SegmentLeaves(bytes);
}

export function leavesEntry(wanted: RecordClass, leafHash: Buffer): Buffer {
  return Buffer.concat([Buffer.from([RECORD_CLASSES.indexOf(wanted)]), leafHash]);
}
