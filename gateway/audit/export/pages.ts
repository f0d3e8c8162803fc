import { type FoundRecord, type RecordQuery, type RecordScope, searchRecords } from '../search.js';
import type { RecordReader } from '../search/reader.js';

const PAGE = 500;

export interface PagesAsk {
  readonly query: RecordQuery;
  readonly scope: RecordScope;
  /** Only records that stood in the log before this place: those of the moment of the question. */
  readonly below: number;
  readonly most: number;
  /** Told when there is more than that. */
  readonly cut: () => void;
}

/** Everything that meets the filters, newest first, page by page, and no more than `most`. */
export async function* recordPages(
  reader: RecordReader,
  { query, scope, below, most, cut }: PagesAsk,
): AsyncGenerator<readonly FoundRecord[]> {
  let cursor: string | undefined;
  for (let left = most; left > 0; ) {
    const asked = { ...query, below, cursor, limit: Math.min(PAGE, left) };
    const { items, next } = await searchRecords(reader, asked, scope);
    if (items.length > 0) yield items;
    left -= items.length;
    if (next === null) return;
    cursor = next;
  }
  cut();
}
