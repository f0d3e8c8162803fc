import { TILE_WIDTH } from './tree.js';

/** Which part of the log a path of C2SP tlog-tiles means. */
export interface TileRange {
  /** Index of the tile in its level. */
  readonly index: number;
  /** 256 for a full tile, fewer for a partial one. */
  readonly width: number;
}

/** `x001/x234/067`, three digits an element, of which all but the last begin with `x`; then `.p/5` for a partial tile. */
const PATH = /^((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;
/** Twelve digits: with more, a count of leaves is no safe integer. */
const LONGEST = 'x000/x000/x000/000'.length;

/** @returns null for what is no such path, or not the shortest for its index */
export function parseTilePath(path: string): TileRange | null {
  const [, encoded, partial] = PATH.exec(path) ?? [];
  if (encoded === undefined || encoded.length > LONGEST || encoded.startsWith('x000/')) return null;
  const width = partial === undefined ? TILE_WIDTH : Number(partial);
  if (partial !== undefined && width >= TILE_WIDTH) return null;
  return { index: Number(encoded.replaceAll(/[x/]/g, '')), width };
}

/** The other way round. */
export function tilePath({ index, width }: TileRange): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? [];
  const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}
