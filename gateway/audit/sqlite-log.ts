import BetterSqlite3 from 'better-sqlite3';
import { COLUMN_NAMES } from './columns.js';
import { LogError } from './log-error.js';
import type { LogSigners } from './log-signers.js';
import {
  type Appended,
  CATCH_UP_LIMIT,
  checkHead,
  type Extension,
  extend,
  type Found,
  type LogEnd,
  type LogStore,
  type Row,
  restoreTree,
  type StoredHead,
} from './log-store.js';
import type { LogTree, PendingRange } from './tree.js';

type Bound = string | number | Buffer | null;

const INSERT_RECORD = `INSERT INTO records (seq, leaf, leaf_hash, ${COLUMN_NAMES.map((name) => `"${name}"`).join(', ')})
  VALUES (${Array.from({ length: COLUMN_NAMES.length + 3 }, () => '?').join(', ')})`;

function prepare(db: BetterSqlite3.Database) {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    size: db.prepare<[], number>('SELECT seq + 1 FROM records ORDER BY seq DESC LIMIT 1').pluck(),
    head: db.prepare<[], StoredHead>(
      'SELECT tree_size AS size, root_hash AS root, note FROM log_checkpoints ORDER BY tree_size DESC LIMIT 1',
    ),
    leaves: db
      .prepare<[number, number], Buffer>(
        'SELECT leaf_hash FROM records WHERE seq >= ? AND seq < ? ORDER BY seq',
      )
      .pluck(),
    roots: db
      .prepare<[number, number, number], Buffer>(
        'SELECT root FROM log_tiles WHERE level = ? AND tile_index >= ? AND tile_index < ? ORDER BY tile_index',
      )
      .pluck(),
    find: db.prepare<[string], { index: number; leaf: string }>(
      'SELECT seq AS "index", leaf FROM records WHERE id = ?',
    ),
    record: db.prepare<Bound[]>(INSERT_RECORD),
    subject: db.prepare('INSERT INTO record_subjects (digest, received_at, seq) VALUES (?, ?, ?)'),
    tile: db.prepare('INSERT INTO log_tiles (level, tile_index, hashes, root) VALUES (?, ?, ?, ?)'),
    checkpoint: db.prepare(
      'INSERT INTO log_checkpoints (tree_size, root_hash, at, note) VALUES (?, ?, ?, ?)',
    ),
  };
}

/** The log in the embedded database. Every commit has reached the disk when `append` returns (`synchronous=FULL`). */
export class SqliteLog implements LogStore {
  readonly #db: BetterSqlite3.Database;
  readonly #signers: LogSigners;
  readonly #statements: ReturnType<typeof prepare>;
  #end: LogEnd | undefined;

  constructor(file: string, signers: LogSigners, pragmas: readonly string[]) {
    this.#db = new BetterSqlite3(file, { fileMustExist: true });
    for (const pragma of pragmas) this.#db.pragma(pragma);
    this.#statements = prepare(this.#db);
    this.#signers = signers;
  }

  open(): Promise<number> {
    return this.#transaction(
      () => this.#caughtUp().tree.size,
      () => true,
    );
  }

  append(rows: readonly Row[], at: number, mayCommit: () => boolean): Promise<Appended> {
    return this.#transaction(() => {
      const extension = extend(this.#caughtUp(), rows, this.#signers);
      this.#insert(rows, extension, at);
      return { first: extension.first, treeSize: extension.treeSize };
    }, mayCommit);
  }

  find(ids: readonly string[]): Promise<Map<string, Found>> {
    const found = new Map<string, Found>();
    for (const id of ids) {
      const row = this.#statements.find.get(id);
      if (row !== undefined) found.set(id, row);
    }
    return Promise.resolve(found);
  }

  close(): Promise<void> {
    this.#db.close();
    return Promise.resolve();
  }

  #transaction<T>(work: () => T, mayCommit: () => boolean): Promise<T> {
    try {
      this.#statements.begin.run();
      const result = work();
      if (!mayCommit()) throw new LogError('late', 'the time for this record was up');
      this.#statements.commit.run();
      return Promise.resolve(result);
    } catch (fault) {
      // What was added in memory did not become durable.
      this.#end = undefined;
      if (this.#db.inTransaction) this.#statements.rollback.run();
      return Promise.reject(asLogError(fault));
    }
  }

  /** The end of what is stored now: another process (a second node, the command line) may have added to it. */
  #caughtUp(): LogEnd {
    const size = this.#statements.size.get() ?? 0;
    const end = this.#end;
    if (end?.tree.size === size) return end;
    const head = this.#statements.head.get();
    return (this.#end = {
      tree: this.#grown(end?.tree, size, head),
      signer: this.#signers.after(head?.note),
    });
  }

  #grown(tree: LogTree | undefined, size: number, head: StoredHead | undefined): LogTree {
    if (tree === undefined || size < tree.size || size - tree.size > CATCH_UP_LIMIT)
      return restoreTree(size, head, (range) => this.#hashes(range));
    const leaves = this.#statements.leaves.all(tree.size, size);
    // Some of them have left for a sealed segment.
    if (leaves.length < size - tree.size) return restoreTree(size, head, (range) => this.#hashes(range));
    for (const hash of leaves) tree.append(hash);
    tree.takeTiles();
    checkHead(tree, head);
    return tree;
  }

  #hashes({ level, from, to }: PendingRange): Buffer[] {
    return level === 0
      ? this.#statements.leaves.all(from, to)
      : this.#statements.roots.all(level - 1, from, to);
  }

  #insert(rows: readonly Row[], extension: Extension, at: number): void {
    const { record, subject, tile, checkpoint } = this.#statements;
    let seq = extension.first;
    for (const { leaf, hash, columns: c, subjects } of rows) {
      for (const digest of subjects) subject.run(digest, c.received_at, seq);
      record.run(
        seq++,
        leaf,
        hash,
        c.id,
        c.received_at,
        c.kind,
        c.plane,
        c.agency,
        c.system,
        c.user,
        c.case_no,
        c.provider,
        c.service,
        c.version,
        c.operation,
        c.outcome,
        c.code,
        c.status,
        c.trace,
        c.opening,
        c.noun,
        c.target_key,
        c.grant_no,
      );
    }
    for (const one of extension.tiles) tile.run(one.level, one.index, one.hashes, one.root);
    checkpoint.run(extension.treeSize, extension.root, at, extension.note);
  }
}

function asLogError(fault: unknown): LogError {
  if (fault instanceof LogError) return fault;
  const code = fault instanceof Error && 'code' in fault ? String(fault.code) : '';
  const message = fault instanceof Error ? fault.message : 'unknown fault';
  return new LogError(code.startsWith('SQLITE_CONSTRAINT') ? 'row' : 'failed', message, fault);
}
