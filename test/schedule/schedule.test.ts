import assert from 'node:assert/strict';
import { systemClock } from '../../gateway/base/clock.js';
import { createLog } from '../../gateway/base/log.js';
import { type Job, startSchedule } from '../../gateway/schedule/schedule.js';
import { eventually } from '../kit/gateway.js';

function jobs(failure: () => Error | null): { readonly jobs: readonly Job[]; readonly ran: string[] } {
  const ran: string[] = [];
  return {
    ran,
    jobs: [
      {
        name: 'first',
        run: () => {
          ran.push('first');
          const fault = failure();
          return fault === null ? Promise.resolve() : Promise.reject(fault);
        },
      },
      { name: 'second', run: () => Promise.resolve(ran.push('second')) },
    ],
  };
}

const busy = (): Error => Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' });
const start = (all: readonly Job[]) =>
  startSchedule({ jobs: all, clock: systemClock, log: createLog('silent'), everyMs: 20 });

describe('what falls due', () => {
  it('goes on with the next job when one fails for a reason of its own', async () => {
    const { ran, jobs: all } = jobs(() => new Error('mine'));
    const schedule = start(all);
    await eventually(() => (ran.length >= 6 ? true : undefined), 'three rounds');
    await schedule.close();
    assert.deepEqual(ran.slice(0, 6), ['first', 'second', 'first', 'second', 'first', 'second']);
  });

  it('leaves the rest of a round, and rests longer and longer, while somebody else holds the database', async () => {
    let held = true;
    const at: number[] = [];
    const { ran, jobs: all } = jobs(() => {
      at.push(performance.now());
      return held ? busy() : null;
    });
    const schedule = start(all);
    await eventually(() => (at.length >= 3 ? true : undefined), 'three tries');
    assert.deepEqual(ran, ['first', 'first', 'first']);
    const [one = 0, two = 0, three = 0] = at;
    assert.ok(three - two > two - one && two - one >= 450, `${two - one} ms, then ${three - two} ms`);
    held = false;
    await eventually(() => (ran.includes('second') ? true : undefined), 'the next job, once it is free');
    const rounds = ran.length;
    await eventually(() => (ran.length >= rounds + 4 ? true : undefined), 'rounds as before');
    await schedule.close();
  });
});
