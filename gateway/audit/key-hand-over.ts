import { derivedUuid } from '../base/ids.js';
import {
  type NoteSigner,
  openNote,
  parseVerifierKey,
  type VerifierKey,
  verifierKeyText,
} from './checkpoint.js';
import type { AuditRecord } from './record.js';
import { systemAct } from './system-act.js';

/** First line of the text that an old key signs: no origin, so that it can never pass for a checkpoint. */
const TITLE = 'lgsp-log-key-hand-over@v1';
export const HAND_OVER_NOUN = 'log-key';

/** One key of the log gives its work to the next. */
export interface HandOver {
  /** vkey of the key that ends, and signed `note`. */
  readonly from: string;
  /** vkey of the key that follows. */
  readonly to: string;
  /** The signed note. */
  readonly note: string;
}

/** What the old key signs. */
export function handOverText(origin: string, from: string, to: string): string {
  return `${TITLE}\n${origin}\n${from}\n${to}\n`;
}

export function signHandOver(from: NoteSigner, to: string): HandOver {
  return { from: from.verifierKey, to, note: from.sign(handOverText(from.name, from.verifierKey, to)) };
}

/**
 * The record of a hand-over. Nothing in it depends on who writes it, or when: several nodes write the same record,
 * and the log keeps one.
 *
 * @param at from when on the new key may sign, milliseconds since the epoch
 */
export function handOverRecord(handOver: HandOver, at: number): AuditRecord {
  const id = derivedUuid(`log-key-hand-over:${handOver.from}:${handOver.to}`);
  const target = { noun: HAND_OVER_NOUN, key: handOver.to.split('+')[1] ?? '', after: handOver };
  return systemAct(at, { operation: 'handOverLogKey', outcome: 'answered', target }, id);
}

/** Whether a record is an act that hands the log over; only the platform itself writes such. */
export function isHandOver(record: { kind: unknown; plane: unknown; noun: unknown }): boolean {
  return record.kind === 'act' && record.plane === 'system' && record.noun === HAND_OVER_NOUN;
}

/** What such a record says, unproved; null when its shape is another. */
export function handOverIn(record: AuditRecord): HandOver | null {
  const after: unknown = record.target?.after;
  if (typeof after !== 'object' || after === null) return null;
  const { from, to, note }: Partial<Record<keyof HandOver, unknown>> = after;
  if (typeof from !== 'string' || typeof to !== 'string' || typeof note !== 'string') return null;
  return { from, to, note };
}

/** Whether this key, and no other, signed that it hands over to `to`. */
export function provesHandOver({ from, to, note }: HandOver, by: VerifierKey): boolean {
  if (from !== verifierKeyText(by.name, by.key)) return false;
  return openNote(note, [by]) === handOverText(by.name, from, to);
}

/** vkeys that leaves name as the next ones, unproved; what is no vkey is left out. */
export function keysNamedIn(leaves: readonly string[]): string[] {
  return leaves.flatMap((leaf) => {
    try {
      const { to } = handOverIn(JSON.parse(leaf) as AuditRecord) ?? {};
      if (to === undefined) return [];
      parseVerifierKey(to);
      return [to];
    } catch {
      return [];
    }
  });
}
