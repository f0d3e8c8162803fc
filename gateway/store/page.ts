import type { Knex } from 'knex';
import { fold } from '../base/fold.js';
import type { Engine } from './database.js';

export interface PageAsk {
  /** Rows wanted; one more is read, to see whether there is a next page. */
  readonly limit: number;
  /** The last key of the page before. */
  readonly after?: string | undefined;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** The key to go on after, or null at the end. */
  readonly next: string | null;
}

/**
 * One page of a query, sorted by a unique text column.
 *
 * @param column a column name of ours, never a caller's text
 */
export async function pageOf<Row extends object>(
  query: Knex.QueryBuilder,
  column: keyof Row & string,
  ask: PageAsk,
  engine: Engine,
): Promise<Page<Row>> {
  // Byte order whatever the database's locale, so that pages follow on and both engines agree.
  const key = engine === 'postgres' ? `"${column}" COLLATE "C"` : `"${column}"`;
  if (ask.after !== undefined) query.whereRaw(`${key} > ?`, [ask.after]);
  const found = (await query.orderByRaw(key).limit(ask.limit + 1)) as Row[];
  const rows = found.slice(0, ask.limit);
  const last = rows.at(-1);
  return { rows, next: found.length > ask.limit && last !== undefined ? String(last[column]) : null };
}

const pattern = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;

/** Every word of `q` must occur: in the folded name, or in one of the identifiers. */
export function searchFor(query: Knex.QueryBuilder, q: string, identifiers: readonly string[]): void {
  for (const word of q.split(/\s+/).filter((part) => part !== '')) {
    void query.where((either) => {
      void either.whereRaw(`"search" LIKE ? ESCAPE '\\'`, [pattern(fold(word))]);
      for (const column of identifiers)
        void either.orWhereRaw(`lower("${column}") LIKE ? ESCAPE '\\'`, [pattern(word.toLowerCase())]);
    });
  }
}

/** SQLite takes a bounded number of values in one statement. */
const MOST_VALUES = 500;

/** The rows whose key is one of these, whatever their number. */
export async function rowsIn<Row extends object>(
  knex: Knex,
  table: string,
  column: keyof Row & string,
  keys: readonly string[],
): Promise<Row[]> {
  const wanted = [...new Set(keys)];
  const found: Row[] = [];
  for (let from = 0; from < wanted.length; from += MOST_VALUES) {
    const part = wanted.slice(from, from + MOST_VALUES);
    found.push(...((await knex(table).whereIn(column, part).select('*')) as Row[]));
  }
  return found;
}
