import type { ApiDocument } from '../document.js';

/** Who is bound by a schema: what is asked must suit the new one, what is answered must suit the old one. */
export type Direction = 'request' | 'response';

/** Two schemas at the same place, both past their `$ref`s. */
export interface Pair {
  readonly before: unknown;
  readonly after: unknown;
  readonly direction: Direction;
  /** Where the new one stands. */
  readonly pointer: string;
  /** Of an answer, as grants name fields; null for what is asked. */
  readonly field: string | null;
}

export interface Documents {
  readonly before: ApiDocument;
  readonly after: ApiDocument;
}
