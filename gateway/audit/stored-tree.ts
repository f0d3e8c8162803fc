import { LRUCache } from 'lru-cache';
import type { Database } from '../store/database.js';
import type { HashReader } from './proofs.js';
import { HASH_BYTES, TILE_WIDTH } from './tree.js';

interface StoredTile {
  level: number;
  tile_index: number;
  hashes: Buffer;
  root: Buffer;
}

async function fullTile({ knex }: Database, level: number, index: number): Promise<Buffer | undefined> {
  const tile = await knex<StoredTile>('log_tiles').where({ level, tile_index: index }).first('hashes');
  return tile?.hashes;
}

/** Hashes that no full tile holds yet: those of records, or the roots of the tiles below. */
async function loose({ knex }: Database, level: number, from: number, to: number): Promise<Buffer[]> {
  if (level === 0) {
    const rows = await knex<{ seq: number; leaf_hash: Buffer }>('records')
      .where('seq', '>=', from)
      .where('seq', '<', to)
      .orderBy('seq')
      .select('leaf_hash');
    return rows.map((row) => row.leaf_hash);
  }
  const rows = await knex<StoredTile>('log_tiles')
    .where({ level: level - 1 })
    .where('tile_index', '>=', from)
    .where('tile_index', '<', to)
    .orderBy('tile_index')
    .select('root');
  return rows.map((row) => row.root);
}

function cut(hashes: Buffer, from: number, to: number): Buffer[] {
  const found: Buffer[] = [];
  for (let i = from; i < to; i++) found.push(hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
  return found;
}

/** Tiles that one reader holds, 8 KiB each. */
const HELD_TILES = 512;

/** Reads the stored tree, one tile at a time; each tile once while it is held. */
export function storedTree(database: Database): HashReader {
  const tiles = new LRUCache<string, Promise<Buffer | undefined>>({ max: HELD_TILES });
  return async (level, from, to) => {
    const index = Math.floor(from / TILE_WIDTH);
    const key = `${level}/${index}`;
    const tile = tiles.get(key) ?? fullTile(database, level, index);
    tiles.set(key, tile);
    const hashes = await tile;
    const start = index * TILE_WIDTH;
    return hashes === undefined
      ? await loose(database, level, from, to)
      : cut(hashes, from - start, to - start);
  };
}

/** The leaves `from` up to but not including `to`, as they were hashed. */
export async function storedLeaves({ knex }: Database, from: number, to: number): Promise<string[]> {
  const rows = await knex<{ seq: number; leaf: string }>('records')
    .where('seq', '>=', from)
    .where('seq', '<', to)
    .orderBy('seq')
    .select('leaf');
  return rows.map((row) => row.leaf);
}

/** A stored head of the log. */
export interface StoredCheckpoint {
  readonly size: number;
  /** C2SP signed note. */
  readonly note: string;
}

/** The first checkpoint that covers the record at `index`; null when none does yet. */
export async function firstCheckpointOver(
  { knex }: Database,
  index: number,
): Promise<StoredCheckpoint | null> {
  const found = await knex<{ tree_size: number; note: string }>('log_checkpoints')
    .where('tree_size', '>', index)
    .orderBy('tree_size')
    .first('tree_size', 'note');
  return found === undefined ? null : { size: found.tree_size, note: found.note };
}
