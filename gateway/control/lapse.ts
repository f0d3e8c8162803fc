import type { Act } from '../base/exchange.js';

/**
 * Something that came to its end by itself. What it says depends on nothing but the thing: nodes that notice it
 * together write the same record, of which the log keeps one.
 */
export interface Lapse extends Act {
  /** When it ended, milliseconds since the epoch. */
  readonly at: number;
  /** Notes it, where no other node has done so. */
  settle(): Promise<void>;
}
