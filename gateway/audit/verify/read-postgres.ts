import pg from 'pg';
import type { LogSegment, LogSegmentFileRow, LogSegmentRow } from '../../store/log-segments.js';
import { HAND_OVER_NOUN, keysNamedIn } from '../key-hand-over.js';
import { TILE_WIDTH } from '../tree.js';
import type { StoredCheckpoint, StoredChunk, StoredRow, StoredTile } from './chunk.js';
import { joinedColumnsSql } from './joined-columns.js';
import type { Extent, LogReader } from './log-reader.js';

const EXTENT = `SELECT (SELECT coalesce(max(seq) + 1, 0) FROM records)::bigint AS leaves,
  (SELECT coalesce(max(tree_size), 0) FROM log_checkpoints)::bigint AS covered`;
const ROWS = `SELECT seq, leaf, leaf_hash AS hash, ${joinedColumnsSql('postgres')} AS columns FROM records
  WHERE seq >= $1 AND seq < $2 ORDER BY seq`;
const SUBJECTS = `SELECT seq, digest, received_at FROM record_subjects
  WHERE seq >= $1 AND seq < $2 ORDER BY seq, digest`;
const STRAY = `SELECT min(seq) AS seq FROM record_subjects WHERE seq < 0
  OR (seq >= $1 AND NOT EXISTS (SELECT 1 FROM records WHERE records.seq = record_subjects.seq))`;
const HAND_OVERS = 'SELECT leaf FROM records WHERE noun = $1 ORDER BY seq';
const TILES = `SELECT tile_index AS index, hashes, root FROM log_tiles
  WHERE level = $1 AND tile_index >= $2 AND tile_index < $3`;
const CHECKPOINTS = `SELECT tree_size AS size, root_hash AS root, note FROM log_checkpoints
  WHERE tree_size > $1 AND tree_size <= $2 ORDER BY tree_size`;

const SEGMENTS = `SELECT from_seq, to_seq, first_at, last_at, sealed_at, name, sha256 FROM log_segments
  WHERE from_seq < $2 AND to_seq > $1 ORDER BY from_seq`;
const SEGMENT_FILES = `SELECT from_seq, class, name, records, bytes, sha256, encrypted, rows_removed_at, destroyed_at
  FROM log_segment_files WHERE from_seq = ANY($1) ORDER BY from_seq, class`;

/** A bigint, which is a text where nobody set a parser: a thread of its own, for one. */
type Whole = number | string;

export class PostgresLogReader implements LogReader {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async open(url: string): Promise<PostgresLogReader> {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'lgsp-gateway verify',
      connectionTimeoutMillis: 10_000,
      statement_timeout: 60_000,
    });
    // What a lost connection means, the query that is under way says.
    client.on('error', () => undefined);
    await client.connect();
    await client.query('SET default_transaction_read_only = on');
    return new PostgresLogReader(client);
  }

  async extent(): Promise<Extent> {
    const [row] = await this.#rows<{ leaves: Whole; covered: Whole }>(EXTENT, []);
    return { leaves: Number(row?.leaves ?? 0), covered: Number(row?.covered ?? 0) };
  }

  /** Of one moment: what leaves for a segment meanwhile leaves as a whole. */
  async chunk(from: number, to: number): Promise<StoredChunk> {
    await this.#client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    try {
      return await this.#chunk(from, to);
    } finally {
      await this.#client.query('COMMIT');
    }
  }

  async #chunk(from: number, to: number): Promise<StoredChunk> {
    const tiles = [0, Math.floor(from / TILE_WIDTH), Math.floor(to / TILE_WIDTH)];
    const rows = await this.#rows<Omit<StoredRow, 'seq'> & { seq: Whole }>(ROWS, [from, to]);
    const subjects = await this.#rows<{ seq: Whole; digest: string; received_at: Whole }>(SUBJECTS, [
      from,
      to,
    ]);
    const heads = await this.#rows<Omit<StoredCheckpoint, 'size'> & { size: Whole }>(CHECKPOINTS, [from, to]);
    return {
      from,
      to,
      rows: rows.map((row) => ({ ...row, seq: Number(row.seq) })),
      subjects: subjects.map(({ seq, digest, received_at }) => ({
        seq: Number(seq),
        digest,
        received_at: Number(received_at),
      })),
      tiles: await this.#tiles(tiles),
      checkpoints: heads.map((head) => ({ ...head, size: Number(head.size) })),
    };
  }

  async namedKeys(): Promise<string[]> {
    const rows = await this.#rows<{ leaf: string }>(HAND_OVERS, [HAND_OVER_NOUN]);
    return keysNamedIn(rows.map(({ leaf }) => leaf));
  }

  async straySubject(size: number): Promise<number | null> {
    const [row] = await this.#rows<{ seq: Whole | null }>(STRAY, [size]);
    return row?.seq == null ? null : Number(row.seq);
  }

  async segments(from: number, to: number): Promise<LogSegment[]> {
    const rows = await this.#rows<Record<keyof LogSegmentRow, Whole>>(SEGMENTS, [from, to]);
    const files = await this.#rows<Record<keyof LogSegmentFileRow, Whole | boolean | null>>(SEGMENT_FILES, [
      rows.map((row) => row.from_seq),
    ]);
    return rows.map((row) => ({
      ...segmentOf(row),
      files: files.filter((file) => file.from_seq === row.from_seq).map(segmentFileOf),
    }));
  }

  async tile(level: number, index: number): Promise<StoredTile | undefined> {
    return (await this.#tiles([level, index, index + 1]))[0];
  }

  async #tiles(range: readonly number[]): Promise<StoredTile[]> {
    const found = await this.#rows<Omit<StoredTile, 'index'> & { index: Whole }>(TILES, [...range]);
    return found.map((tile) => ({ ...tile, index: Number(tile.index) }));
  }

  async close(): Promise<void> {
    await this.#client.end();
  }

  async #rows<T>(text: string, values: unknown[]): Promise<T[]> {
    return (await this.#client.query(text, values)).rows as T[];
  }
}

const wholeOrNull = (value: Whole | null): number | null => (value === null ? null : Number(value));

function segmentOf(row: Record<keyof LogSegmentRow, Whole>): LogSegmentRow {
  return {
    ...{ from_seq: Number(row.from_seq), to_seq: Number(row.to_seq), sealed_at: Number(row.sealed_at) },
    ...{ first_at: Number(row.first_at), last_at: Number(row.last_at) },
    ...{ name: String(row.name), sha256: String(row.sha256) },
  };
}

function segmentFileOf(row: Record<keyof LogSegmentFileRow, Whole | boolean | null>): LogSegmentFileRow {
  return {
    ...{ from_seq: Number(row.from_seq), class: String(row.class), name: String(row.name) },
    ...{ records: Number(row.records), bytes: Number(row.bytes), sha256: String(row.sha256) },
    encrypted: row.encrypted === true,
    rows_removed_at: wholeOrNull(row.rows_removed_at as Whole | null),
    destroyed_at: wholeOrNull(row.destroyed_at as Whole | null),
  };
}
