import { LRUCache } from 'lru-cache';
import type { LogSegment, LogSegmentFileRow } from '../../store/log-segments.js';
import { leafHash } from '../tree.js';
import { ArchiveFault } from './archive-fault.js';
import type { RecordClass } from './classes.js';
import {
  type ArchivedLeaf,
  BlockFile,
  digestOf,
  readDescriptor,
  readLeaves,
  type SegmentLeaves,
} from './read-files.js';
import type { Segment, SegmentBlock, SegmentFile } from './segment.js';

/** Blocks of one file that are held unpacked: neighbours are read one after the other. */
const HELD_BLOCKS = 2;

/** The file of one class, as far as it can be read. */
class ClassFile {
  readonly #file: SegmentFile;
  readonly #blocks: BlockFile | null;
  readonly #held = new LRUCache<number, Promise<ArchivedLeaf[]>>({ max: HELD_BLOCKS });
  /** Where it is first not what was sealed; records before that stand in it as they were. */
  readonly fault: ArchiveFault | null;

  constructor(file: SegmentFile, blocks: BlockFile | null, fault: ArchiveFault | null) {
    [this.#file, this.#blocks, this.fault] = [file, blocks, fault];
  }

  /** Its records among those `from` up to but not including `to`, up to where it is at fault. */
  async leaves(from: number, to: number): Promise<ArchivedLeaf[]> {
    const end = Math.min(to, this.fault?.index ?? to);
    const found: ArchivedLeaf[] = [];
    for (const block of this.#file.blocks)
      if (block.first < end && block.last >= from)
        found.push(...(await this.#read(block)).filter(({ index }) => index >= from && index < end));
    return found;
  }

  #read(block: SegmentBlock): Promise<ArchivedLeaf[]> {
    const known = this.#held.get(block.first);
    if (known !== undefined) return known;
    const read = this.#blocks?.read(block) ?? Promise.resolve([]);
    this.#held.set(block.first, read);
    return read;
  }

  async close(): Promise<void> {
    await this.#blocks?.close();
  }
}

const firstOf = ({ blocks }: SegmentFile, otherwise: number): number => blocks[0]?.first ?? otherwise;

/** Which record of a file that was changed is the first that is not the one that was sealed. */
async function firstWrong(
  blocks: BlockFile,
  file: SegmentFile,
  { from }: Segment,
  leaves: SegmentLeaves,
): Promise<ArchiveFault> {
  try {
    for (const block of file.blocks)
      for (const { index, leaf } of await blocks.read(block))
        if (!leafHash(leaf).equals(leaves.hashAt(index - from)))
          return new ArchiveFault(index, `${file.name} holds another record ${index} than was sealed`);
  } catch (error) {
    if (error instanceof ArchiveFault) return error;
    throw error;
  }
  return new ArchiveFault(firstOf(file, from), `${file.name} is not the file that was sealed`);
}

async function openFile(
  folder: string,
  segment: Segment,
  file: SegmentFile,
  leaves: SegmentLeaves,
): Promise<ClassFile> {
  const found = await digestOf(folder, file.name);
  if (found === null)
    return new ClassFile(
      file,
      null,
      new ArchiveFault(firstOf(file, segment.from), `${file.name} is missing`),
    );
  const intact = found.bytes === file.bytes && found.sha256 === file.sha256;
  if (file.encryption !== null) {
    const detail = `${file.name} is not the file that was sealed`;
    return new ClassFile(file, null, intact ? null : new ArchiveFault(firstOf(file, segment.from), detail));
  }
  const blocks = await BlockFile.open(folder, file.name);
  return new ClassFile(file, blocks, intact ? null : await firstWrong(blocks, file, segment, leaves));
}

/** What the database says of a segment must be what its descriptor says, which the log vouches for. */
function assertRowsAgree({ from_seq, to_seq, files }: LogSegment, segment: Segment): void {
  const told = files.map((one) => [one.class, one.name, one.records, one.bytes, one.sha256, one.encrypted]);
  const said = segment.files.map((one) => [
    ...[one.class, one.name, one.records, one.bytes, one.sha256],
    one.encryption !== null,
  ]);
  const sorted = (rows: unknown[][]): string => JSON.stringify(rows.map((row) => JSON.stringify(row)).sort());
  if (segment.from === from_seq && segment.to === to_seq && sorted(told) === sorted(said)) return;
  throw new ArchiveFault(from_seq, 'the database says other things of a segment than its descriptor');
}

/** A sealed segment whose every file was held against what was sealed. */
export class OpenSegment {
  readonly #row: LogSegment;
  readonly #leaves: SegmentLeaves;
  readonly #files: ReadonlyMap<string, ClassFile>;

  private constructor(row: LogSegment, leaves: SegmentLeaves, files: ReadonlyMap<string, ClassFile>) {
    [this.#row, this.#leaves, this.#files] = [row, leaves, files];
  }

  /** @throws ArchiveFault when nothing can be said of its records */
  static async open(folder: string, row: LogSegment): Promise<OpenSegment> {
    const descriptor = await readDescriptor(folder, row.name);
    if (descriptor === null)
      throw new ArchiveFault(row.from_seq, `${row.name} is missing, or cannot be read`);
    if (descriptor.sha256 !== row.sha256)
      throw new ArchiveFault(row.from_seq, `${row.name} is not the file that was sealed`);
    const { segment } = descriptor;
    assertRowsAgree(row, segment);
    const leaves = await readLeaves(folder, segment);
    const files = new Map<string, ClassFile>();
    for (const file of segment.files)
      if (row.files.find((one) => one.class === file.class)?.destroyed_at === null)
        files.set(file.class, await openFile(folder, segment, file, leaves));
    return new OpenSegment(row, leaves, files);
  }

  get from(): number {
    return this.#row.from_seq;
  }

  get to(): number {
    return this.#row.to_seq;
  }

  hashAt(index: number): Buffer {
    return this.#leaves.hashAt(index - this.from);
  }

  classAt(index: number): RecordClass | undefined {
    return this.#leaves.classAt(index - this.from);
  }

  /** The first fault of any of its files; before it, all that can be read is as it was sealed. */
  get fault(): ArchiveFault | null {
    const faults = [...this.#files.values()].flatMap(({ fault }) => (fault === null ? [] : [fault]));
    return faults.sort((a, b) => a.index - b.index)[0] ?? null;
  }

  /** Leaves that can be read, by index; those of files that are encrypted or destroyed are not among them. */
  async leaves(from: number, to: number): Promise<Map<number, string>> {
    const found = new Map<number, string>();
    for (const file of this.#files.values())
      for (const { index, leaf } of await file.leaves(from, to)) found.set(index, leaf);
    return found;
  }

  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
  }
}

/** Whether the records of a class are in the file alone now, as the newest state of the database has it. */
export function hasLeft(files: readonly LogSegmentFileRow[], wanted: RecordClass | undefined): boolean {
  return files.find((file) => file.class === wanted)?.rows_removed_at !== null;
}
