import { HASH_BYTES, LogTree, leafHash, type PendingRange, type Tile } from './tree.js';
import { signCheckpoint, type NoteSigner } from './checkpoint.js';
import { type Columns, columnsOf, subjectsOf } from './columns.js';
import { type HandOver, handOverIn, isHandOver } from './key-hand-over.js';
import { LogError } from './log-error.js';
import type { LogSigners } from './log-signers.js';
import type { AuditRecord } from './record.js';

/** A leaf ready to be stored. */
export interface Row {
  readonly leaf: string;
  readonly hash: Buffer;
  readonly columns: Columns;
  /** Where this record hands the log over to another key. */
  readonly handOver?: HandOver;
  /** Digests of the persons concerned; most records have none. */
  readonly subjects: readonly string[];
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
  const columns = columnsOf(record);
  const handOver = isHandOver(columns) ? handOverIn(record) : null;
  const row = { leaf, hash: leafHash(leaf), columns, subjects: subjectsOf(record) };
  return handOver === null ? row : { ...row, handOver };
}

/** The end of the log, as its writer holds it in memory between two appends. */
export interface LogEnd {
  readonly tree: LogTree;
  /** Signs the next checkpoint; that of a hand-over, together with the key that follows. */
  signer: NoteSigner;
}

/** All that sign the checkpoint over these rows, in order: the key in force, and each that it is handed over to. */
function signersOf(rows: readonly Row[], signer: NoteSigner, signers: LogSigners): NoteSigner[] {
  const all = [signer];
  for (const { handOver } of rows) {
    if (handOver === undefined) continue;
    if (handOver.from !== all.at(-1)?.verifierKey)
      throw new LogError('row', 'the log is handed over by a key that does not sign it');
    all.push(signers.named(handOver.to));
  }
  return all;
}

/**
 * Grows the log in memory; when the rows do not become durable, its end has to be read anew.
 *
 * @throws LogError
 */
export function extend(end: LogEnd, rows: readonly Row[], signers: LogSigners): Extension {
  const { tree } = end;
  const [signer = end.signer, ...followers] = signersOf(rows, end.signer, signers);
  end.signer = followers.at(-1) ?? signer;
  const first = tree.size;
  for (const row of rows) tree.append(row.hash);
  const root = tree.root();
  const treeSize = tree.size;
  return {
    first,
    treeSize,
    root,
    tiles: tree.takeTiles(),
    note: signCheckpoint({ size: treeSize, root }, signer, ...followers),
  };
}

/** The last checkpoint as it is stored. */
export interface StoredHead {
  readonly size: number;
  readonly root: Buffer;
  readonly note: string;
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
