import type { ChannelRow } from '../store/notice-channels.js';
import type { NoticeRow } from '../store/notices.js';

/** One notice on its way to one channel. */
export interface Message {
  /** The same at every attempt, so that a receiver can tell a repetition. */
  readonly id: string;
  readonly notice: NoticeRow;
  readonly channel: ChannelRow;
  /** When this attempt began, milliseconds since the epoch. */
  readonly at: number;
}

/**
 * What became of an attempt. `error` is for operators: it never holds a secret, a whole address or what the other
 * side said.
 */
export type Outcome =
  | { readonly kind: 'sent' }
  /** To be tried again. */
  | { readonly kind: 'failed'; readonly error: string }
  /** Will never be taken; trying again would be in vain. */
  | { readonly kind: 'refused'; readonly error: string }
  /** The receiver wants nothing any more. */
  | { readonly kind: 'gone'; readonly error: string }
  /** The node stopped: another takes it up at once. */
  | { readonly kind: 'interrupted' };

export const failed = (error: string): Outcome => ({ kind: 'failed', error });

/** The name of an error and nothing of its message, which may hold addresses or worse. */
export function nameOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown error';
  const { code, name } = error as { code?: unknown; name?: unknown };
  const found = typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown error';
  return found.slice(0, 60);
}
