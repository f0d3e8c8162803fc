import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TILE_WIDTH } from '../tree.js';
import { checkChunk, type StoredRow } from '../verify/chunk.js';
import { columnOf } from '../verify/joined-columns.js';
import type { LogReader } from '../verify/log-reader.js';
import type { AuditRecord } from '../record.js';
import { ArchiveFault } from './archive-fault.js';
import { draftName, publishDrafts, removeDrafts } from './durable-file.js';
import { BlockFile, digestOf } from './read-files.js';
import {
  isSegmentFile,
  type SealedSegment,
  type Segment,
  segmentFileOf,
  SEGMENT_RECORDS,
} from './segment.js';
import { type Seal, type SealedRecord, SegmentWriter } from './write-segment.js';

/** Records that are read at a time: whole tiles. */
const CHUNK = 16 * TILE_WIDTH;

export interface EndAsk {
  readonly from: number;
  /** No further than here. */
  readonly upTo: number;
  /** Only what was received before, milliseconds since the epoch. */
  readonly before: number;
  readonly now: number;
}

/**
 * Up to where the log is old enough, from one place on: at the first record that is not, cut to whole tiles. What was
 * received after now was so by a clock that was wrong, and says nothing.
 */
export async function endOfOld(reader: LogReader, { from, upTo, before, now }: EndAsk): Promise<number> {
  const most = Math.min(from + SEGMENT_RECORDS, upTo);
  let end = from;
  while (end < most) {
    const to = Math.min(end + CHUNK, most);
    const { rows } = await reader.chunk(end, to);
    const young = rows.find((row) => {
      const at = Number(columnOf(row.columns ?? '', 'received_at'));
      return at >= before && at <= now;
    });
    end = young?.seq ?? end + rows.length;
    if (end < to) break;
  }
  return end - (end % TILE_WIDTH);
}

function sealed({ seq, leaf, hash }: StoredRow): SealedRecord {
  if (leaf === null) throw new Error(`record ${seq} is in a segment already`);
  return { index: seq, leaf, hash, record: JSON.parse(leaf) as AuditRecord };
}

/** @throws ArchiveFault when the log itself does not hold there: nothing is sealed that is not proved */
async function copyRecords(reader: LogReader, writer: SegmentWriter, { from, to }: Seal): Promise<void> {
  for (let at = from; at < to; at += CHUNK) {
    const stored = await reader.chunk(at, Math.min(at + CHUNK, to));
    const { fault, tiles } = checkChunk(stored, []);
    if (fault !== undefined) throw new ArchiveFault(fault.index, fault.detail);
    for (const [index, { root, differs }] of tiles)
      if (root === null || differs !== null)
        throw new ArchiveFault(
          index * TILE_WIDTH + (differs ?? 0),
          `the tile at ${index} is not that of the records`,
        );
    await writer.add(stored.rows.map(sealed));
  }
}

/** What is on the disk, not what was meant to be: every file is read again. */
async function readAgain(folder: string, { files, leaves }: Segment): Promise<void> {
  for (const { name, bytes, sha256, blocks, encryption } of [
    ...files,
    { ...leaves, blocks: [], encryption: null },
  ]) {
    const found = await digestOf(folder, draftName(name));
    if (found?.bytes !== bytes || found.sha256 !== sha256)
      throw new ArchiveFault(blocks[0]?.first ?? 0, `${name} is not on the disk as it was written`);
    if (encryption === null && blocks.length > 0) await readBlocks(folder, draftName(name), blocks);
  }
}

async function readBlocks(
  folder: string,
  name: string,
  blocks: Segment['files'][number]['blocks'],
): Promise<void> {
  const file = await BlockFile.open(folder, name);
  try {
    for (const block of blocks) await file.read(block);
  } finally {
    await file.close();
  }
}

/**
 * Writes the records of a range into the files of a segment, and reads them again. Only when all are on the disk do they get
 * their names.
 *
 * @throws ArchiveFault when the log does not hold there, or the disk gives back something else
 */
export async function sealSegment(reader: LogReader, seal: Seal): Promise<SealedSegment> {
  await mkdir(seal.folder, { recursive: true, mode: 0o700 });
  await removeDrafts(seal.folder);
  const writer = await SegmentWriter.open(seal);
  try {
    await copyRecords(reader, writer, seal);
    const { segment, descriptor } = await writer.end();
    await readAgain(seal.folder, segment);
    const name = segmentFileOf(segment);
    await publishDrafts(seal.folder, [...segment.files.map((file) => file.name), segment.leaves.name, name]);
    return { segment, sha256: descriptor.sha256 };
  } catch (error) {
    await writer.abort();
    await removeDrafts(seal.folder).catch(() => undefined);
    throw error;
  }
}

/** Takes away a file of records whose time is over; it may be gone already. What has another name is not touched. */
export async function destroyFile(folder: string, name: string): Promise<void> {
  if (!isSegmentFile(name)) throw new Error('the database names a file that is none of a segment');
  await rm(join(folder, name), { force: true });
}
