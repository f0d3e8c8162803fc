import { gzipSync } from 'node:zlib';
import type { FileDigest } from '../evidence/format.js';
import type { HandOver } from '../key-hand-over.js';
import type { AuditRecord } from '../record.js';
import { HASH_BYTES } from '../tree.js';
import { classOf, RECORD_CLASSES, type RecordClass } from './classes.js';
import { createDraft, type Sink } from './durable-file.js';
import { leavesEntry } from './read-files.js';
import {
  BLOCK_RECORDS,
  formatSegment,
  type Segment,
  type SegmentBlock,
  type SegmentFile,
  segmentLine,
  segmentNames,
  SEGMENT_FORMAT,
  SEGMENT_VERSION,
} from './segment.js';

/** What a segment is sealed with, besides its records. */
export interface Seal {
  readonly folder: string;
  readonly origin: string;
  readonly from: number;
  readonly to: number;
  /** C2SP signed note of a head that covers it. */
  readonly checkpoint: string;
  readonly proof: Segment['proof'];
  readonly handOvers: readonly HandOver[];
  /** age public keys; with none, the files are not encrypted. */
  readonly encryptTo: readonly string[];
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A record as it is put into a segment: proved already. */
export interface SealedRecord {
  readonly index: number;
  readonly leaf: string;
  readonly hash: Buffer;
  readonly record: AuditRecord;
}

/** One class of a segment, block after block. */
class RecordsFile {
  readonly class: RecordClass;
  readonly name: string;
  readonly #sink: Sink;
  readonly #blocks: SegmentBlock[] = [];
  #lines: string[] = [];
  #ids: string[] = [];
  #first = 0;
  #last = 0;
  #offset = 0;
  #records = 0;

  constructor(wanted: RecordClass, name: string, sink: Sink) {
    [this.class, this.name, this.#sink] = [wanted, name, sink];
  }

  async add({ index, leaf, record }: SealedRecord): Promise<void> {
    if (this.#lines.length === 0) this.#first = index;
    this.#last = index;
    this.#lines.push(segmentLine(index, leaf));
    this.#ids.push(record.id);
    if (this.#lines.length === BLOCK_RECORDS) await this.#endBlock();
  }

  async #endBlock(): Promise<void> {
    if (this.#lines.length === 0) return;
    const packed = gzipSync(this.#lines.join(''));
    await this.#sink.write(packed);
    const ids = this.#ids.sort();
    this.#blocks.push({
      ...{ offset: this.#offset, bytes: packed.length, first: this.#first, last: this.#last },
      ...{ records: this.#lines.length, fromId: ids[0] ?? '', toId: ids.at(-1) ?? '' },
    });
    this.#offset += packed.length;
    this.#records += this.#lines.length;
    [this.#lines, this.#ids] = [[], []];
  }

  async end(encrypted: boolean): Promise<SegmentFile> {
    await this.#endBlock();
    const digest = await this.#sink.end();
    const encryption = encrypted ? 'age' : null;
    return {
      ...{ class: this.class, name: this.name, records: this.#records, ...digest, encryption },
      blocks: this.#blocks,
    };
  }

  async abort(): Promise<void> {
    await this.#sink.abort();
  }
}

/** Writes the drafts of a segment: a file for each class that occurs, the leaves' hashes, the descriptor. */
export class SegmentWriter {
  readonly #seal: Seal;
  readonly #names: ReturnType<typeof segmentNames>;
  readonly #files = new Map<RecordClass, RecordsFile>();
  readonly #leaves: Sink;
  #firstReceived = Number.POSITIVE_INFINITY;
  #lastReceived = Number.NEGATIVE_INFINITY;

  private constructor(seal: Seal, leaves: Sink) {
    this.#seal = seal;
    this.#names = segmentNames(seal.from, seal.to);
    this.#leaves = leaves;
  }

  static async open(seal: Seal): Promise<SegmentWriter> {
    return new SegmentWriter(seal, await createDraft(seal.folder, segmentNames(seal.from, seal.to).leaves));
  }

  /** @param records the next ones, in order */
  async add(records: readonly SealedRecord[]): Promise<void> {
    const entries: Buffer[] = [];
    for (const one of records) {
      const wanted = classOf(one.record);
      const file = this.#files.get(wanted) ?? (await this.#open(wanted));
      await file.add(one);
      entries.push(leavesEntry(wanted, one.hash));
      const received = Date.parse(one.record.received);
      this.#firstReceived = Math.min(this.#firstReceived, received);
      this.#lastReceived = Math.max(this.#lastReceived, received);
    }
    await this.#leaves.write(Buffer.concat(entries, entries.length * (HASH_BYTES + 1)));
  }

  async #open(wanted: RecordClass): Promise<RecordsFile> {
    const { folder, encryptTo } = this.#seal;
    const name = this.#names.records(wanted, encryptTo.length > 0);
    const file = new RecordsFile(wanted, name, await createDraft(folder, name, encryptTo));
    this.#files.set(wanted, file);
    return file;
  }

  async end(): Promise<{ readonly segment: Segment; readonly descriptor: FileDigest }> {
    const encrypted = this.#seal.encryptTo.length > 0;
    const files: SegmentFile[] = [];
    for (const wanted of RECORD_CLASSES) {
      const file = this.#files.get(wanted);
      if (file !== undefined) files.push(await file.end(encrypted));
    }
    const leaves = { name: this.#names.leaves, ...(await this.#leaves.end()) };
    const { origin, from, to, checkpoint, proof, handOvers, at } = this.#seal;
    const iso = (ms: number): string => new Date(ms).toISOString();
    const segment: Segment = {
      ...{ format: SEGMENT_FORMAT, version: SEGMENT_VERSION, origin, from, to },
      ...{ firstReceived: iso(this.#firstReceived), lastReceived: iso(this.#lastReceived), sealed: iso(at) },
      ...{ checkpoint, proof, handOvers: handOvers.map(({ from, to, note }) => ({ from, to, note })) },
      ...{ classes: [...RECORD_CLASSES], leaves, files },
    };
    return { segment, descriptor: await this.#describe(segment) };
  }

  async #describe(segment: Segment): Promise<FileDigest> {
    const draft = await createDraft(this.#seal.folder, this.#names.descriptor);
    await draft.write(Buffer.from(formatSegment(segment), 'utf8'));
    return await draft.end();
  }

  async abort(): Promise<void> {
    for (const file of this.#files.values()) await file.abort();
    await this.#leaves.abort();
  }
}
