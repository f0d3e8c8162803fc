import type { Clock } from '../base/clock.js';
import { systemClock } from '../base/clock.js';
import { derivedUuid } from '../base/ids.js';
import type { Database } from '../store/database.js';
import type { AuditRecord, Recorder } from './record.js';

export interface InterruptedOptions {
  /** Only calls received longer ago than this; more than any call may last, so that none in progress on another node is meant. */
  readonly olderThanMs: number;
  readonly clock?: Clock;
}

const CHUNK = 500;

interface Opened {
  seq: number;
  leaf: string;
}

/** The id of the record that closes a call whose own node never did: the log itself refuses a second. */
const closingId = (opening: string): string => derivedUuid(`interrupted:${opening}`);

/** Nothing in it depends on who writes it, or when: two nodes write the same record, and the log keeps one. */
function closingOf(opened: AuditRecord): AuditRecord {
  return {
    ...opened,
    id: closingId(opened.id),
    kind: 'closing',
    opening: opened.id,
    outcome: 'failed',
    stage: 'forward',
    code: 'interrupted',
  };
}

/**
 * Closes the calls that a crash cut off between their opening record and their closing one: each gets a closing
 * record with outcome `failed` and code `interrupted`. Run it when a node starts. Safe on several nodes at once.
 *
 * @returns how many calls were found open
 * @throws Problem `record_unavailable`; what is left is found by the next run
 */
export async function closeInterrupted(
  database: Database,
  recorder: Recorder,
  { olderThanMs, clock = systemClock }: InterruptedOptions,
): Promise<number> {
  const before = clock.now() - olderThanMs;
  let closed = 0;
  let after = -1;
  for (;;) {
    const opened = await openCalls(database, before, after);
    const last = opened.at(-1);
    if (last === undefined) return closed;
    await Promise.all(opened.map(({ leaf }) => recorder.write(closingOf(JSON.parse(leaf) as AuditRecord))));
    closed += opened.length;
    after = last.seq;
  }
}

async function openCalls({ knex }: Database, before: number, after: number): Promise<Opened[]> {
  return await knex('records as o')
    .whereRaw(`o.kind = 'opening'`)
    .where('o.seq', '>', after)
    .where('o.received_at', '<', before)
    .whereNotExists(knex('records as c').select(knex.raw('1')).whereRaw('c.opening = o.id'))
    .orderBy('o.seq')
    .limit(CHUNK)
    .select<Opened[]>('o.seq', 'o.leaf');
}
