import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';

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

/**
 * Runs every job now and then, one after the other, never one of them twice at once. A job that fails is tried again
 * the next time: what is due stays due until it is done, also over a stop of the gateway.
 */
export function startSchedule({ jobs, clock, log, everyMs }: ScheduleOptions): Schedule {
  let closed = false;
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> = Promise.resolve();
  const round = async (): Promise<void> => {
    for (const job of jobs) {
      if (closed) return;
      await job.run(clock.now()).catch((error: unknown) => {
        log.error({ err: error, job: job.name }, 'a job failed; it is tried again');
      });
    }
  };
  const next = (): void => {
    running = round().then(() => {
      if (!closed) timer = setTimeout(next, everyMs).unref();
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
