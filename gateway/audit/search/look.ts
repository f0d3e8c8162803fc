/** Where a page ends, and the next one goes on. */
export type Position = readonly [receivedAt: number, seq: number];

/** A record as a search reads it. */
export interface Row {
  readonly seq: number;
  readonly leaf: string;
  readonly received_at: number;
}

/** One look at the record: what it found, and where the next one begins; null when it saw all there is. */
export interface Look {
  readonly rows: readonly Row[];
  readonly next: Position | null;
}
