import type { KeyObject } from 'node:crypto';
import type { Engine } from '../store/database.js';

/** What the worker is started with. */
export interface LogWorkerData {
  readonly engine: Engine;
  readonly location: string;
  readonly origin: string;
  /** Those that may sign the log, oldest first. */
  readonly keys: readonly KeyObject[];
  readonly timeoutMs: number;
  readonly pragmas: readonly string[];
}

/** The records of one turn of the main thread's loop. */
export interface WriteMessage {
  readonly type: 'write';
  readonly batch: number;
  /** A JSON array of the leaves: one string crosses faster than many. */
  readonly leaves: string;
  /** Milliseconds since the epoch, by the main thread's clock. */
  readonly at: number;
  /** By `monotonicMs`: past it no commit of these records may begin. */
  readonly deadline: number;
}

export type ToWorker =
  | WriteMessage
  /** Which of these ids are in the log after all? */
  | { readonly type: 'settle'; readonly ids: readonly string[] }
  /** All keys that may sign the log now. */
  | { readonly type: 'keys'; readonly keys: readonly KeyObject[] }
  | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'ready'; readonly size: number }
  | { readonly type: 'unfit'; readonly message: string }
  | WrittenMessage
  | RefusedMessage
  | { readonly type: 'settled'; readonly ids: readonly string[]; readonly found: readonly string[] }
  | { readonly type: 'unsettled' };

export interface WrittenMessage {
  readonly type: 'written';
  readonly batch: number;
  /** Index of the batch's first record; the others follow it, unless `indexes` says otherwise. */
  readonly first: number;
  readonly treeSize: number;
  /** One for each record: its index, or null where this one was refused. */
  readonly indexes?: readonly (number | null)[];
}

export interface RefusedMessage {
  readonly type: 'refused';
  readonly batch: number;
  readonly message: string;
  /** The records may be in the log all the same: the answer to a commit was lost. */
  readonly unknown: boolean;
}

/** Milliseconds of a clock that all threads of the process share and nobody can set. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
