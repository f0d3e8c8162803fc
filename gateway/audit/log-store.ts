import { HASH_BYTES, LogTree, leafHash, type PendingRange, type Tile } from './tree.js';
import { signCheckpoint, type NoteSigner } from './checkpoint.js';
import { type Columns, columnsOf } from './columns.js';
import type { AuditRecord } from './record.js';

/** A leaf ready to be stored. */
export interface Row {
  readonly leaf: string;
  readonly hash: Buffer;
  readonly columns: Columns;
}

/** Where a group of rows came to stand. */
export interface Appended {
  /** Index of the first; the others follow it. */
  readonly first: number;
  readonly treeSize: number;
}

/** A record that is in the log already. */
export interface Found {
  readonly index: number;
  readonly leaf: string;
}

/**
 * How an append failed:
 * - `late`: a deadline passed before the commit had begun; nothing was written
 * - `row`: one of the rows was not accepted (its id is in the log already, …); nothing was written
 * - `lost`: the connection was gone before the commit had begun; nothing was written
 * - `unknown`: the commit was sent and no answer came
 * - `damaged`: the stored log contradicts its last checkpoint, so nothing may be added to it
 * - `failed`: anything else (locked, disk full, …); nothing was written
 */
export type LogFailure = 'late' | 'row' | 'lost' | 'unknown' | 'damaged' | 'failed';

export class LogError extends Error {
  override readonly name = 'LogError';
  readonly failure: LogFailure;

  constructor(failure: LogFailure, message: string, cause?: unknown) {
    super(message, { cause });
    this.failure = failure;
  }
}

/** The stored log of one engine, as its one writer in this process sees it. */
export interface LogStore {
  /** Connects and reads the tree's head. */
  open(): Promise<number>;
  /**
   * Adds rows and one checkpoint in one transaction.
   *
   * @param at milliseconds since the epoch, kept with the checkpoint
   * @param mayCommit asked last, right before the commit: false takes everything back
   * @throws LogError
   */
  append(rows: readonly Row[], at: number, mayCommit: () => boolean): Promise<Appended>;
  /** Which of these ids the log holds; waits for whoever is appending. */
  find(ids: readonly string[]): Promise<Map<string, Found>>;
  close(): Promise<void>;
}

/** What one append adds besides its rows. */
export interface Extension extends Appended {
  readonly tiles: readonly Tile[];
  readonly root: Buffer;
  readonly note: string;
}

export function rowOf(leaf: string, record: AuditRecord): Row {
  return { leaf, hash: leafHash(leaf), columns: columnsOf(record) };
}

/** Grows the tree in memory; when the rows do not become durable, the tree has to be read anew. */
export function extend(tree: LogTree, rows: readonly Row[], signer: NoteSigner): Extension {
  const first = tree.size;
  for (const row of rows) tree.append(row.hash);
  const root = tree.root();
  const treeSize = tree.size;
  return {
    first,
    treeSize,
    root,
    tiles: tree.takeTiles(),
    note: signCheckpoint({ size: treeSize, root }, signer),
  };
}

/** The last checkpoint as it is stored. */
export interface StoredHead {
  readonly size: number;
  readonly root: Buffer;
}

/**
 * Rebuilds the tree and holds it against the last checkpoint: a node must not sign a history that was changed
 * behind its back.
 *
 * @throws LogError `damaged`
 */
export function restoreTree(
  size: number,
  head: StoredHead | undefined,
  hashesOf: (range: PendingRange) => readonly Buffer[],
): LogTree {
  try {
    const tree = LogTree.restore(size, hashesOf);
    checkHead(tree, head);
    return tree;
  } catch (cause) {
    if (cause instanceof LogError) throw cause;
    throw new LogError('damaged', 'the stored log lacks parts of its tree', cause);
  }
}

/** @throws LogError `damaged` */
export function checkHead(tree: LogTree, head: StoredHead | undefined): void {
  const size = head?.size ?? 0;
  if (size !== tree.size)
    throw new LogError('damaged', `the log holds ${tree.size} records, its last checkpoint says ${size}`);
  if (head !== undefined && !(head.root.length === HASH_BYTES && head.root.equals(tree.root())))
    throw new LogError('damaged', `the log does not match its checkpoint at ${size}`);
}

/** Leaves that another node added are read one by one up to here; past it, the tree is rebuilt from tiles. */
export const CATCH_UP_LIMIT = 2048;
