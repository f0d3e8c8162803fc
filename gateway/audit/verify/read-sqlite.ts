import BetterSqlite3 from 'better-sqlite3';
import type { LogSegment, LogSegmentFileRow, LogSegmentRow } from '../../store/log-segments.js';
import { HAND_OVER_NOUN, keysNamedIn } from '../key-hand-over.js';
import { HASH_BYTES, TILE_WIDTH } from '../tree.js';
import { COLUMN_ARRAY } from './agreement.js';
import type { StoredBeside, StoredCheckpoint, StoredChunk, StoredRow, StoredTile } from './chunk.js';
import type { JoinedChunk, StoredJoin } from './joined-chunk.js';
import { joinedColumnsSql } from './joined-columns.js';
import type { Extent, LogReader } from './log-reader.js';
import type { StoredSubject } from './subjects.js';

/** The log is read once from its beginning to its end: no page is wanted again. */
const CACHE_KIB = 2048;
/** Records in one text: so few that it is allocated and freed without asking the system for memory. */
const JOINED = 64;

function prepare(db: BetterSqlite3.Database) {
  return {
    extent: db.prepare<[], Extent>(`SELECT (SELECT coalesce(max(seq) + 1, 0) FROM records) AS leaves,
      (SELECT coalesce(max(tree_size), 0) FROM log_checkpoints) AS covered`),
    handOvers: db.prepare<[string], string>('SELECT leaf FROM records WHERE noun = ? ORDER BY seq').pluck(),
    subjects: db.prepare<[number, number], StoredSubject>(
      'SELECT seq, digest, received_at FROM record_subjects WHERE seq >= ? AND seq < ? ORDER BY seq, digest',
    ),
    stray: db
      .prepare<[number], number | null>(
        `SELECT min(seq) FROM record_subjects WHERE seq < 0 OR
          (seq >= ? AND NOT EXISTS (SELECT 1 FROM records WHERE records.seq = record_subjects.seq))`,
      )
      .pluck(),
    rows: db
      .prepare<[number, number], [number, string, Buffer, string]>(
        `SELECT seq, leaf, leaf_hash, ${joinedColumnsSql('sqlite')} FROM records
          WHERE seq >= ? AND seq < ? ORDER BY seq`,
      )
      .raw(),
    joined: db.prepare<[number, number], StoredJoin>(
      `SELECT count(*) FILTER (WHERE octet_length(leaf_hash) = ${HASH_BYTES}) AS count,
          CAST(x'00' || group_concat(leaf || (char(10) || ${COLUMN_ARRAY}), x'00') AS BLOB) AS text,
          CAST(group_concat(leaf_hash, '') AS BLOB) AS hashes
        FROM records WHERE seq >= ? AND seq < ?`,
    ),
    tiles: db.prepare<[number, number], StoredTile>(
      `SELECT tile_index AS "index", hashes, root FROM log_tiles
        WHERE level = 0 AND tile_index >= ? AND tile_index < ?`,
    ),
    segments: db.prepare<[number, number], LogSegmentRow>(
      'SELECT * FROM log_segments WHERE from_seq < ? AND to_seq > ? ORDER BY from_seq',
    ),
    segmentFiles: db.prepare<[number], LogSegmentFileRow>(
      'SELECT * FROM log_segment_files WHERE from_seq = ? ORDER BY class',
    ),
    tile: db.prepare<[number, number], StoredTile>(
      'SELECT tile_index AS "index", hashes, root FROM log_tiles WHERE level = ? AND tile_index = ?',
    ),
    checkpoints: db.prepare<[number, number], StoredCheckpoint>(
      `SELECT tree_size AS size, root_hash AS root, note FROM log_checkpoints
        WHERE tree_size > ? AND tree_size <= ? ORDER BY tree_size`,
    ),
  };
}

export class SqliteLogReader implements LogReader {
  readonly #db: BetterSqlite3.Database;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(file: string) {
    this.#db = new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: 5000 });
    this.#db.pragma(`cache_size = -${CACHE_KIB}`);
    this.#statements = prepare(this.#db);
  }

  extent(): Promise<Extent> {
    return Promise.resolve(this.#statements.extent.get() as Extent);
  }

  /** Of one moment: what leaves for a segment meanwhile leaves as a whole. */
  chunk(from: number, to: number): Promise<StoredChunk> {
    const read = this.#db.transaction(() => ({
      ...this.#beside(from, to),
      rows: this.#statements.rows.all(from, to).map(toRow),
    }));
    return Promise.resolve(read());
  }

  joined(from: number, to: number): Promise<JoinedChunk> {
    return Promise.resolve({ ...this.#beside(from, to), joins: this.#joins(from, to) });
  }

  #beside(from: number, to: number): StoredBeside {
    const { subjects, tiles, checkpoints } = this.#statements;
    return {
      from,
      to,
      subjects: subjects.all(from, to),
      tiles: tiles.all(Math.floor(from / TILE_WIDTH), Math.floor(to / TILE_WIDTH)),
      checkpoints: checkpoints.all(from, to),
    };
  }

  *#joins(from: number, to: number): Iterable<StoredJoin> {
    for (let first = from; first < to; first += JOINED) {
      const join = this.#statements.joined.get(first, Math.min(first + JOINED, to));
      if (join !== undefined) yield join;
    }
  }

  namedKeys(): Promise<string[]> {
    return Promise.resolve(keysNamedIn(this.#statements.handOvers.all(HAND_OVER_NOUN)));
  }

  straySubject(size: number): Promise<number | null> {
    return Promise.resolve(this.#statements.stray.get(size) ?? null);
  }

  segments(from: number, to: number): Promise<LogSegment[]> {
    const { segments, segmentFiles } = this.#statements;
    return Promise.resolve(
      segments.all(to, from).map((row) => ({
        ...row,
        files: segmentFiles
          .all(row.from_seq)
          .map((file) => ({ ...file, encrypted: Number(file.encrypted) === 1 })),
      })),
    );
  }

  tile(level: number, index: number): Promise<StoredTile | undefined> {
    return Promise.resolve(this.#statements.tile.get(level, index));
  }

  close(): Promise<void> {
    this.#db.close();
    return Promise.resolve();
  }
}

function toRow([seq, leaf, hash, columns]: [number, string, Buffer, string]): StoredRow {
  return { seq, leaf, hash, columns };
}
