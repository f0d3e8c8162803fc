import { hash } from 'node:crypto';
import type { ArchivedRecords } from '../../audit/archive/archived-records.js';
import { publishedKeys } from '../../audit/published-keys.js';
import { consistencyProof, inclusionProof, rootAt } from '../../audit/proofs.js';
import { latestCheckpoint } from '../../audit/search.js';
import type { RecordReader } from '../../audit/search/reader.js';
import { storedReceipt } from '../../audit/stored-receipt.js';
import { storedLeaves, storedTree } from '../../audit/stored-tree.js';
import { parseTilePath } from '../../audit/tile-path.js';
import { TILE_WIDTH } from '../../audit/tree.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { invalid, notFound } from '../refusals.js';
import { logStatus } from './log-status.js';
import { assertMaySeeWhole, findVisible, sealedAway } from './rules.js';

const BINARY = 'application/octet-stream';
const TEXT = 'text/plain; charset=utf-8';
/** Only the caller's own cache may keep it: what it shows was shown to this caller. */
const FOR_EVER = 'private, max-age=31536000, immutable';
const MOST_ENTRY_BYTES = 65_535;

function cached(body: Buffer | string, type: string, cache: string): ControlResult {
  const etag = `"${hash('sha256', body, 'base64url')}"`;
  return { status: 200, body, headers: { 'content-type': type, 'cache-control': cache, etag } };
}

async function checkpoint({ database }: ControlContext): Promise<ControlResult> {
  const head = await latestCheckpoint(database);
  if (head === null) throw notFound();
  const { headers, ...result } = cached(head.note, TEXT, 'private, no-cache');
  return { ...result, headers: { ...headers, 'lgsp-tree-size': String(head.size) } };
}

/** Where a tile begins in its level, and how many of its hashes are asked for; all of them must be signed for. */
async function rangeOf(
  { database }: ControlContext,
  path: string,
  level: number,
): Promise<readonly [from: number, to: number]> {
  const range = parseTilePath(path);
  const size = (await latestCheckpoint(database))?.size ?? 0;
  if (range === null) throw notFound();
  const from = range.index * TILE_WIDTH;
  const to = from + range.width;
  if (to > Math.floor(size / TILE_WIDTH ** level)) throw notFound();
  return [from, to];
}

async function tile(context: ControlContext, { path }: ControlCall): Promise<ControlResult> {
  const level = Number(path['level']);
  const [from, to] = await rangeOf(context, path['tile'] ?? '', level);
  const hashes = await storedTree(context.database)(level, from, to);
  if (hashes.length !== to - from) throw notFound();
  return cached(Buffer.concat(hashes), BINARY, FOR_EVER);
}

function entry(leaf: string): Buffer {
  const bytes = Buffer.from(leaf, 'utf8');
  // The recorder writes no larger one.
  if (bytes.length > MOST_ENTRY_BYTES) throw notFound();
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** From the table, and what left it from the segments. */
async function everyLeaf(
  { database }: ControlContext,
  archived: ArchivedRecords,
  from: number,
  to: number,
): Promise<string[]> {
  const kept = await storedLeaves(database, from, to);
  if (kept.length === to - from) return kept;
  const leaves = await archived.leaves(from, to);
  // What a class left behind is in its file as well.
  const found = Array.from({ length: to - from }, (_, i) => leaves.get(from + i));
  if (found.some((leaf) => leaf === undefined)) throw sealedAway(`${from}–${to - 1}`);
  return found as string[];
}

async function entries(
  context: ControlContext,
  archived: ArchivedRecords,
  { path }: ControlCall,
): Promise<ControlResult> {
  const [from, to] = await rangeOf(context, path['tile'] ?? '', 0);
  const leaves = await everyLeaf(context, archived, from, to);
  return cached(Buffer.concat(leaves.map(entry)), BINARY, FOR_EVER);
}

/** A size that was asked for, or that of the newest checkpoint; no proof is made of what nobody signed. */
async function sizeAsked({ database }: ControlContext, asked: unknown, name: string): Promise<number> {
  const covered = (await latestCheckpoint(database))?.size ?? 0;
  const size = typeof asked === 'number' ? asked : covered;
  if (size >= 1 && size <= covered) return size;
  const [vi, en] = [`Nhật ký hiện có ${covered} bản ghi`, `The log holds ${covered} records now`];
  throw invalid(`/query/${name}`, 'maximum', vi, en);
}

const texts = (hashes: readonly Buffer[]): string[] => hashes.map((one) => one.toString('base64'));

async function inclusion(context: ControlContext, { query }: ControlCall): Promise<ControlResult> {
  const size = await sizeAsked(context, query['size'], 'size');
  const index = Number(query['index']);
  if (index >= size)
    throw invalid(
      '/query/index',
      'maximum',
      'Vị trí phải nhỏ hơn kích thước',
      'The index must be below the size',
    );
  const read = storedTree(context.database);
  const [leaf] = await read(0, index, index + 1);
  const proof = texts(await inclusionProof(read, index, size));
  const root = (await rootAt(read, size)).toString('base64');
  return { status: 200, body: { index, size, leafHash: leaf?.toString('base64') ?? '', root, proof } };
}

async function consistency(context: ControlContext, { query }: ControlCall): Promise<ControlResult> {
  const to = await sizeAsked(context, query['to'], 'to');
  const from = Number(query['from']);
  if (from > to)
    throw invalid('/query/from', 'maximum', 'Cây cũ không lớn hơn cây mới', 'The older tree is not larger');
  const read = storedTree(context.database);
  const [fromRoot, toRoot] = [await rootAt(read, from), await rootAt(read, to)];
  const proof = texts(await consistencyProof(read, from, to));
  const roots = { fromRoot: fromRoot.toString('base64'), toRoot: toRoot.toString('base64') };
  return { status: 200, body: { from, to, ...roots, proof } };
}

async function keys({ database }: ControlContext): Promise<ControlResult> {
  const body = await publishedKeys(database);
  if (body === null) throw notFound();
  return { status: 200, body };
}

async function receipt(
  { database }: ControlContext,
  reader: RecordReader,
  archived: ArchivedRecords,
  call: ControlCall,
): Promise<ControlResult> {
  const found = await findVisible(reader, archived, call);
  assertMaySeeWhole(call.caller, found);
  const text = await storedReceipt(database, found.index, archived);
  if (text === null) throw notFound();
  return cached(text, TEXT, FOR_EVER);
}

/** The log as C2SP tlog-tiles has it, proofs for those who would rather not compute, and receipts. */
export function logRoutes(
  context: ControlContext,
  reader: RecordReader,
  archived: ArchivedRecords,
): ControlHandlers {
  return {
    getCheckpoint: () => checkpoint(context),
    getLogCheckpoint: () => checkpoint(context),
    getLogTile: (call) => tile(context, call),
    getLogEntries: (call) => entries(context, archived, call),
    getInclusionProof: (call) => inclusion(context, call),
    getConsistencyProof: (call) => consistency(context, call),
    getLogKeys: () => keys(context),
    getLogStatus: () => logStatus(context),
    getReceipt: (call) => receipt(context, reader, archived, call),
  };
}
