import type { LogSegment } from '../../store/log-segments.js';
import type { StoredChunk, StoredTile } from './chunk.js';
import type { JoinedChunk } from './joined-chunk.js';

/** Reads the stored log over a connection of its own, which cannot write. */
export interface LogReader {
  /** How many records there are, and up to where a checkpoint vouches: of one moment, while others append. */
  extent(): Promise<Extent>;
  /** Everything stored about the records from `from` up to but not including `to`. */
  chunk(from: number, to: number): Promise<StoredChunk>;
  /** The same with its records as few texts, where the store can join them: enough to see that all is well. */
  joined?(from: number, to: number): Promise<JoinedChunk | undefined>;
  /** vkeys that records hand the log over to, whether or not the key before signed that. */
  namedKeys(): Promise<string[]>;
  /** The first subject row that belongs to no record; those of records past `size` are left for the next time. */
  straySubject(size: number): Promise<number | null>;
  /** Sealed segments that hold any of the records `from` up to but not including `to`, in order. */
  segments(from: number, to: number): Promise<LogSegment[]>;
  tile(level: number, index: number): Promise<StoredTile | undefined>;
  close(): Promise<void>;
}

export interface Extent {
  readonly leaves: number;
  readonly covered: number;
}
