import type { Recorder } from '../audit/record.js';
import { systemAct } from '../audit/system-act.js';
import { derivedUuid } from '../base/ids.js';
import { overdueBreakGlass } from '../store/break-glass.js';
import { lapsedChangeRequests } from '../store/change-requests.js';
import { endOfAccess } from './break-glass/ending.js';
import { lapseOfRequest } from './change-requests/lapsing.js';
import type { ControlContext } from './handler.js';
import type { Lapse } from './lapse.js';

/** So many at a time; the rest follows with the next look. */
const BATCH = 200;

async function record(recorder: Recorder, { noun, key, at, before, after }: Lapse): Promise<void> {
  const act = { outcome: 'answered', target: { noun, key, before, after } } as const;
  await recorder.write(systemAct(at, act, derivedUuid(`lapse:${noun}:${key}:${at}`)));
}

/**
 * Notes what came to its end by itself: emergency accesses whose time is over, with word to their providers, and
 * change requests that nobody decided. Recorded first, then noted, so that a crash in between loses nothing; safe
 * on several nodes at once. Neither waits for this to be without effect.
 *
 * @returns how many were found
 * @throws Problem `record_unavailable`; what is left is found by the next run
 */
export async function noteOverdue(context: ControlContext, recorder: Recorder): Promise<number> {
  const { knex } = context.database;
  const now = context.clock.now();
  const lapses = [
    ...(await overdueBreakGlass(knex, now, BATCH)).map((row) => endOfAccess(context, row)),
    ...(await lapsedChangeRequests(knex, now, BATCH)).map((row) => lapseOfRequest(context, row)),
  ];
  for (const lapse of lapses) {
    await record(recorder, lapse);
    await lapse.settle();
  }
  return lapses.length;
}
