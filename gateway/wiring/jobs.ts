import type { Recorder } from '../audit/record.js';
import { countServiceUse } from '../audit/service-use.js';
import { writeOwed } from '../audit/owed.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Logger } from '../base/log.js';
import type { ControlContext } from '../control/handler.js';
import { controlJobs } from '../control/jobs.js';
import { noteOverdue } from '../control/overdue.js';
import { type Schedule, startSchedule } from '../schedule/schedule.js';

export interface JobParts {
  readonly context: ControlContext;
  readonly recorder: Recorder;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
}

/** All that falls due by itself on this node. */
export function startJobs({ context, recorder, config, clock, log }: JobParts): Schedule {
  const jobs = [
    ...controlJobs(context),
    { name: 'count-service-use', run: () => countServiceUse(context.database, clock.now()) },
    { name: 'note-overdue', run: () => noteOverdue(context, recorder) },
    { name: 'write-owed-records', run: () => writeOwed(context.database, recorder) },
  ];
  return startSchedule({ jobs, clock, log, everyMs: config.schedule.everyMs });
}
