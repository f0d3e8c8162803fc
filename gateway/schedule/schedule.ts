import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import { isSqliteBusy } from '../base/sqlite-busy.js';

/** Something that is due from time to time. It must do nothing the second time, on whatever node that is. */
export interface Job {
  readonly name: string;
  /** @param now milliseconds since the epoch */
  run(now: number): Promise<unknown>;
}

export interface ScheduleOptions {
  readonly jobs: readonly Job[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly everyMs: number;
}

export interface Schedule {
  /** Ends it, after what is under way. */
  close(): Promise<void>;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;

/**
 * Runs every job now and then, one after the other, never one of them twice at once; while the database is held by somebody
 * else, after growing pauses. A job that fails is tried again
 * the next time: what is due stays due until it is done, also over a stop of the gateway.
 */
export function startSchedule({ jobs, clock, log, everyMs }: ScheduleOptions): Schedule {
  let closed = false;
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> = Promise.resolve();
  let busy = 0;
  /** @returns whether the database let it through */
  const tried = async (job: Job): Promise<boolean> => {
    try {
      await job.run(clock.now());
      return true;
    } catch (error) {
      log.error({ err: error, job: job.name }, 'a job failed; it is tried again');
      // What one job waited for in vain, the next would too, and on SQLite the whole node waits with it.
      return !isSqliteBusy(error);
    }
  };
  const round = async (): Promise<void> => {
    for (const job of jobs) {
      if (closed) return;
      if (await tried(job)) continue;
      busy += 1;
      return;
    }
    busy = 0;
  };
  const pauseMs = (): number =>
    busy === 0 ? everyMs : Math.max(everyMs, Math.min(FIRST_PAUSE_MS * 2 ** busy, LONGEST_PAUSE_MS));
  const next = (): void => {
    running = round().then(() => {
      if (!closed) timer = setTimeout(next, pauseMs()).unref();
    });
  };
  next();
  return {
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      await running;
    },
  };
}
