import { LRUCache } from 'lru-cache';
import { timeOf } from '../../base/ids.js';
import type { Database } from '../../store/database.js';
import {
  type LogSegment,
  type LogSegmentFileRow,
  segmentsBetween,
  segmentsReceived,
} from '../../store/log-segments.js';
import type { HashReader } from '../proofs.js';
import type { AuditRecord } from '../record.js';
import type { FoundRecord, RecordScope } from '../search.js';
import { storedTree } from '../stored-tree.js';
import { leafHash } from '../tree.js';
import { ArchiveFault } from './archive-fault.js';
import { type ArchivedLeaf, BlockFile, readDescriptor } from './read-files.js';
import type { Segment, SegmentBlock, SegmentFile } from './segment.js';

/** An id is made when its record is begun: within this of the time received. */
const ASIDE_MS = 3_600_000;
/** Descriptors that are held: some ten kilobytes each. */
const HELD = 32;

/** Records that left the table, one block of a file at a time. Each is held against the stored tree before it is shown. */
export class ArchivedRecords {
  readonly #database: Database;
  readonly #folder: string | null;
  readonly #tree: HashReader;
  readonly #descriptors = new LRUCache<string, Segment>({ max: HELD });

  /** @param folder where sealed segments are; null where nothing was ever sealed */
  constructor(database: Database, folder: string | null) {
    [this.#database, this.#folder, this.#tree] = [database, folder, storedTree(database)];
  }

  /**
   * The leaves `from` up to but not including `to` that stand in a file which can be read, by index.
   *
   * @throws ArchiveFault for a file that is not what was sealed
   */
  async leaves(from: number, to: number): Promise<Map<number, string>> {
    const found = new Map<number, string>();
    for (const row of await this.#segments(from, to)) {
      const wanted = ({ first, last }: SegmentBlock): boolean => first < to && last >= from;
      for (const one of await this.#leavesOf(row, wanted))
        if (one.index >= from && one.index < to) found.set(one.index, one.leaf);
    }
    return found;
  }

  /**
   * The record of this id, if it stands in a file that can be read, and the reader may see it. Only ids that tell their time
   * (UUIDv7) are looked for: for any other, every segment would have to be opened.
   */
  async find(id: string, scope: RecordScope): Promise<FoundRecord | null> {
    for (const row of await this.#segmentsOf(id)) {
      const wanted = ({ fromId, toId }: SegmentBlock): boolean => fromId <= id && id <= toId;
      for (const { index, leaf } of await this.#leavesOf(row, wanted)) {
        if (!leaf.includes(id)) continue;
        const record = JSON.parse(leaf) as AuditRecord;
        if (record.id === id) return isWithin(record, scope) ? { ...record, index } : null;
      }
    }
    return null;
  }

  /** The file that cannot be read here and may hold this id, by the ids around it; null when there is none. */
  async unreadableWith(id: string): Promise<string | null> {
    for (const row of await this.#segmentsOf(id)) {
      const segment = await this.#descriptor(row);
      if (segment === null) return row.name;
      const holds = ({ blocks }: SegmentFile): boolean =>
        blocks.some(({ fromId, toId }) => fromId <= id && id <= toId);
      for (const file of segment.files.filter(holds))
        if (
          !isReadable(row.files, file) ||
          (await this.#open(file.name, () => Promise.resolve(true))) === null
        )
          return file.name;
    }
    return null;
  }

  async #segmentsOf(id: string): Promise<LogSegment[]> {
    const at = timeOf(id);
    return this.#folder === null || at === null
      ? []
      : await segmentsReceived(this.#database.knex, at - ASIDE_MS, at + ASIDE_MS);
  }

  async #segments(from: number, to: number): Promise<LogSegment[]> {
    return this.#folder === null ? [] : await segmentsBetween(this.#database.knex, from, to);
  }

  async #leavesOf(row: LogSegment, wanted: (block: SegmentBlock) => boolean): Promise<ArchivedLeaf[]> {
    const found: ArchivedLeaf[] = [];
    for (const file of (await this.#descriptor(row))?.files ?? []) {
      const blocks = file.blocks.filter(wanted);
      if (blocks.length > 0 && isReadable(row.files, file)) found.push(...(await this.#read(file, blocks)));
    }
    return found;
  }

  /** @returns null where it is kept elsewhere */
  async #descriptor({ name, sha256, from_seq }: LogSegment): Promise<Segment | null> {
    const known = this.#descriptors.get(sha256);
    if (known !== undefined) return known;
    const read = this.#folder === null ? null : await readDescriptor(this.#folder, name);
    if (read === null) return null;
    if (read.sha256 !== sha256) throw new ArchiveFault(from_seq, `${name} is not the file that was sealed`);
    this.#descriptors.set(sha256, read.segment);
    return read.segment;
  }

  async #read({ name }: SegmentFile, blocks: readonly SegmentBlock[]): Promise<ArchivedLeaf[]> {
    const read = await this.#open(name, async (file) => {
      const found: ArchivedLeaf[] = [];
      for (const block of blocks) found.push(...(await file.read(block)));
      for (const one of found) await this.#assertProved(one, name);
      return found;
    });
    return read ?? [];
  }

  /** @returns null where the file is kept elsewhere */
  async #open<T>(name: string, work: (file: BlockFile) => Promise<T>): Promise<T | null> {
    const file = await BlockFile.open(this.#folder ?? '', name).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    });
    if (file === null) return null;
    try {
      return await work(file);
    } finally {
      await file.close();
    }
  }

  async #assertProved({ index, leaf }: ArchivedLeaf, name: string): Promise<void> {
    const [hash] = await this.#tree(0, index, index + 1);
    if (hash?.equals(leafHash(leaf)) !== true)
      throw new ArchiveFault(index, `${name} holds another record ${index} than the log`);
  }
}

function isReadable(rows: readonly LogSegmentFileRow[], file: SegmentFile): boolean {
  const row = rows.find((one) => one.class === file.class);
  return file.encryption === null && row?.destroyed_at === null;
}

function isWithin(record: AuditRecord, scope: RecordScope): boolean {
  if ('all' in scope) return true;
  return 'provider' in scope ? record.provider === scope.provider : record.agency === scope.agency;
}
