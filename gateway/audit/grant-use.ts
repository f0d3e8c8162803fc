import type { Database } from '../store/database.js';
import { addGrantUse, type UseOutcome } from '../store/grant-use.js';
import { isCaughtUp } from './follow.js';
import { dayOf, followUse } from './use-by-day.js';

const NAME = 'grant-use';

/** Counts from the record what was called under each grant on which day, how it ended and which fields left. */
export async function countGrantUse(database: Database): Promise<void> {
  await followUse(database, {
    name: NAME,
    columns: ['grant_no', 'operation', 'outcome'],
    async add(trx, { grant_no, operation, outcome, day, disclosed, calls, last }) {
      await addGrantUse(trx, {
        ...{ grant_id: grant_no, day: dayOf(day), operation },
        ...{ answered: 0, refused: 0, failed: 0, aborted: 0 },
        [outcome as UseOutcome]: calls,
        last_at: last,
        // Nothing left with a call that was not answered.
        fields: outcome === 'answered' ? disclosed : '[]',
      });
    },
  });
}

/** Whether the counts have come as far as the record: who acts on them must not act on old ones. */
export async function isCounted(database: Database): Promise<boolean> {
  return await isCaughtUp(database, NAME);
}
