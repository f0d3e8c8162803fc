import type { EndSignal } from '../connector.js';
import type { Statement } from './statement.js';

/** A value as databases bind it. */
export type BoundValue = string | number | boolean | bigint | null | readonly unknown[];

export interface Query {
  readonly statement: Statement;
  readonly values: readonly BoundValue[];
  /** Rows wanted at most; one more tells that there are more. */
  readonly limit: number;
  readonly maxBytes: number;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
}

export interface Rows {
  readonly columns: readonly string[];
  /** JSON values: dates as text, what a number cannot hold as text, bytes as base64. */
  readonly rows: readonly (readonly unknown[])[];
  /** Rows changed by a statement that writes. */
  readonly changed: number;
}

/** One database, whatever its engine. */
export interface SqlSource {
  /** @throws SourceError */
  query(query: Query, signal: EndSignal): Promise<Rows>;
  /** @throws when the database cannot be reached */
  ping(signal: EndSignal): Promise<void>;
  close(): Promise<void>;
}

/** Exact whatever its size: beyond 2^53 a JSON number would be another number for most readers. */
export function bigText(value: bigint | string): number | string {
  const found = Number(value);
  return Number.isSafeInteger(found) ? found : String(value);
}

/** A value of a driver as JSON has it. */
export function jsonValue(value: unknown): unknown {
  if (typeof value === 'bigint') return bigText(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (typeof value === 'number' && !Number.isFinite(value)) return null;
  return value ?? null;
}
