import type { VerifierKey } from '../checkpoint.js';
import { type CheckedChunk, checkChunk } from './chunk.js';
import { checkJoined } from './joined-chunk.js';
import type { LogReader } from './log-reader.js';

/** Whole tiles, but for the last: up to but not including `to`. */
export interface ChunkRange {
  readonly from: number;
  readonly to: number;
}

async function quickly(reader: LogReader, range: ChunkRange, keys: readonly VerifierKey[]) {
  try {
    const joined = await reader.joined?.(range.from, range.to);
    return joined === undefined ? null : await checkJoined(joined, keys);
  } catch {
    // What cannot be joined is read record by record, and fails there if it cannot be read at all.
    return null;
  }
}

/** Reads and checks a range of the log: the quick way while all is well, record by record where something is not. */
export async function checkRange(
  reader: LogReader,
  range: ChunkRange,
  keys: readonly VerifierKey[],
): Promise<CheckedChunk> {
  return (await quickly(reader, range, keys)) ?? checkChunk(await reader.chunk(range.from, range.to), keys);
}
