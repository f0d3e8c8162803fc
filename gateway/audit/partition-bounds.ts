/** A part of the log in PostgreSQL. Ids are unique within each by its own key. */
export interface Partition {
  readonly name: string;
  /** Of `received_at`, milliseconds since the epoch; null for the partition of all other times. */
  readonly from: number | null;
  /** The first moment past it. */
  readonly to: number | null;
}

export const PARTITIONS = `SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bound
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'records'::regclass`;

function boundOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (text === 'MINVALUE') return Number.NEGATIVE_INFINITY;
  return text === 'MAXVALUE' ? Number.POSITIVE_INFINITY : Number(text);
}

/** A row of `PARTITIONS`, read. */
export function partitionOf({ name, bound }: { name: string; bound: string }): Partition {
  const [, from, to] = /FROM \('?(-?\w+)'?\) TO \('?(-?\w+)'?\)/.exec(bound) ?? [];
  return { name, from: boundOf(from), to: boundOf(to) };
}
