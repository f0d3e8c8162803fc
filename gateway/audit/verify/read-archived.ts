import type { LogSegment } from '../../store/log-segments.js';
import { ArchiveFault } from '../archive/archive-fault.js';
import { hasLeft, OpenSegment } from '../archive/open-segment.js';
import type { LogFault, StoredChunk, StoredRow, StoredTile } from './chunk.js';
import type { JoinedChunk } from './joined-chunk.js';
import type { Extent, LogReader } from './log-reader.js';

/** What stands where a range of the log should, and what ended the reading of it. */
interface ReadRange {
  readonly rows: StoredRow[];
  readonly fault?: LogFault;
}

const archiveFault = ({ index, message }: ArchiveFault): LogFault => ({
  index,
  what: 'archive',
  detail: message,
});

/** Reads a log whose oldest records left the table for sealed segments. */
export class ArchivedLogReader implements LogReader {
  readonly #table: LogReader;
  readonly #folder: string | null;
  #open: OpenSegment | undefined;

  /** @param folder where the segments are; null where nobody said */
  constructor(table: LogReader, folder: string | null) {
    [this.#table, this.#folder] = [table, folder];
  }

  async chunk(from: number, to: number): Promise<StoredChunk> {
    const stored = await this.#table.chunk(from, to);
    // Asked after the table was read: whatever is not there any more, a segment holds by now.
    const segments = await this.#table.segments(from, to);
    if (segments.length === 0) return stored;
    const table = new Map(stored.rows.map((row) => [row.seq, row]));
    const rows: StoredRow[] = [];
    let at = from;
    for (const segment of segments) {
      rows.push(...rowsBetween(stored.rows, at, segment.from_seq));
      const end = Math.min(segment.to_seq, to);
      const read = await this.#sealed(segment, Math.max(segment.from_seq, from), end, table);
      rows.push(...read.rows);
      if (read.fault !== undefined) return { ...stored, rows, fault: read.fault };
      at = end;
    }
    rows.push(...rowsBetween(stored.rows, at, to));
    return { ...stored, rows };
  }

  /** Nothing of a sealed segment is joined: it is read block by block. */
  async joined(from: number, to: number): Promise<JoinedChunk | undefined> {
    const segments = await this.#table.segments(from, to);
    return segments.length > 0 ? undefined : await this.#table.joined?.(from, to);
  }

  async #sealed(
    row: LogSegment,
    from: number,
    to: number,
    table: ReadonlyMap<number, StoredRow>,
  ): Promise<ReadRange> {
    try {
      return await rowsOf(await this.#segment(row), row, [from, to], table);
    } catch (error) {
      if (error instanceof ArchiveFault)
        return {
          rows: [],
          fault: archiveFault(new ArchiveFault(Math.max(error.index, from), error.message)),
        };
      throw error;
    }
  }

  async #segment(row: LogSegment): Promise<OpenSegment> {
    if (this.#folder === null)
      throw new ArchiveFault(row.from_seq, `${row.name} is in the archive, and no folder was named`);
    if (this.#open?.from === row.from_seq) return this.#open;
    await this.#open?.close();
    this.#open = undefined;
    return (this.#open = await OpenSegment.open(this.#folder, row));
  }

  extent(): Promise<Extent> {
    return this.#table.extent();
  }

  namedKeys(): Promise<string[]> {
    return this.#table.namedKeys();
  }

  straySubject(size: number): Promise<number | null> {
    return this.#table.straySubject(size);
  }

  segments(from: number, to: number): Promise<LogSegment[]> {
    return this.#table.segments(from, to);
  }

  tile(level: number, index: number): Promise<StoredTile | undefined> {
    return this.#table.tile(level, index);
  }

  async close(): Promise<void> {
    await this.#open?.close();
    await this.#table.close();
  }
}

function rowsBetween(rows: readonly StoredRow[], from: number, to: number): StoredRow[] {
  return rows.filter(({ seq }) => seq >= from && seq < to);
}

/** The segment's records: as the table has them where it still does, and else as the file has them. */
async function rowsOf(
  segment: OpenSegment,
  { files }: LogSegment,
  [from, to]: readonly [number, number],
  table: ReadonlyMap<number, StoredRow>,
): Promise<ReadRange> {
  const leaves = await segment.leaves(from, to);
  const fault = segment.fault;
  const end = Math.min(to, Math.max(from, fault?.index ?? to));
  const rows: StoredRow[] = [];
  for (let seq = from; seq < end; seq++) {
    const row = table.get(seq);
    if (row === undefined && !hasLeft(files, segment.classAt(seq)))
      return { rows, fault: { index: seq, what: 'missing', detail: `record ${seq} is missing` } };
    rows.push(row ?? { seq, leaf: leaves.get(seq) ?? null, hash: segment.hashAt(seq), columns: null });
  }
  return fault !== null && fault.index < to ? { rows, fault: archiveFault(fault) } : { rows };
}
