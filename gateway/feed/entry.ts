import type { AuditRecord } from '../audit/record.js';

/** A record on its way out: its place in the log, and the leaf as it was written. */
export interface Entry {
  readonly seq: number;
  readonly leaf: string;
}

/** What a sink does with the entries; whatever it throws is a failure, and the sink is opened anew. */
export interface OpenSink {
  /** Puts them on their way. */
  send(entries: readonly Entry[]): Promise<void>;
  /** What is known to have arrived by now, and from where on all is sent again when this end is lost. */
  readonly place: Place;
  /** Rejects as soon as the other side is lost; never resolves. */
  readonly lost: Promise<never>;
  /** Ends it in order. @returns whether all that was sent is known to have arrived */
  close(): Promise<boolean>;
}

export interface Place {
  readonly seq: number;
  readonly resume: number;
}

export type Severity = 2 | 4 | 5 | 6;

/** RFC 5424 severity: 2 critical, 4 warning, 5 notice, 6 informational. */
export function severityOf(record: AuditRecord): Severity {
  const { target, outcome, kind } = record;
  if (target?.noun === 'security_event') {
    const { severity } = (target.after ?? {}) as { severity?: string };
    return severity === 'high' ? 2 : severity === 'medium' ? 4 : 5;
  }
  if (outcome === 'failed') return 4;
  if (outcome === 'refused' || outcome === 'aborted' || kind === 'act') return 5;
  return 6;
}

/** The kind of message: what a receiver sorts by. */
export function messageId({ kind, target }: AuditRecord): string {
  const id = kind === 'act' ? (target?.noun ?? 'act') : kind;
  return id.replace(/[^!-~]/g, '_').slice(0, 32);
}
