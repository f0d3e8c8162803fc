/**
 * How an append failed:
 * - `late`: a deadline passed before the commit had begun; nothing was written
 * - `row`: one of the rows was not accepted (its id is in the log already, …); nothing was written
 * - `lost`: the connection was gone before the commit had begun; nothing was written
 * - `unknown`: the commit was sent and no answer came
 * - `damaged`: the stored log contradicts its last checkpoint, so nothing may be added to it
 * - `failed`: anything else (locked, disk full, …); nothing was written
 */
export type LogFailure = 'late' | 'row' | 'lost' | 'unknown' | 'damaged' | 'failed';

export class LogError extends Error {
  override readonly name = 'LogError';
  readonly failure: LogFailure;

  constructor(failure: LogFailure, message: string, cause?: unknown) {
    super(message, { cause });
    this.failure = failure;
  }
}
