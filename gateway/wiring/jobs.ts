import type { Recorder } from '../audit/record.js';
import { countGrantUse } from '../audit/grant-use.js';
import { countServiceUse } from '../audit/service-use.js';
import { writeOwed } from '../audit/owed.js';
import { partitionKeeper } from '../audit/partitions.js';
import { recordCounter } from '../audit/search/count-job.js';
import type { RecordReader } from '../audit/search/reader.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Logger } from '../base/log.js';
import type { ControlContext } from '../control/handler.js';
import { controlJobs } from '../control/jobs.js';
import { noteOverdue } from '../control/overdue.js';
import { watchRecord } from '../security/watch.js';
import { type Schedule, startSchedule } from '../schedule/schedule.js';

export interface JobParts {
  readonly context: ControlContext;
  readonly recorder: Recorder;
  readonly records: RecordReader;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
}

/** All that falls due by itself on this node. */
export function startJobs({ context, recorder, records, config, clock, log }: JobParts): Schedule {
  const wrong = (): void => log.error('the counts of the record do not add up; they are made anew');
  const jobs = [
    // First, for others act on what it counts.
    { name: 'count-grant-use', run: () => countGrantUse(context.database) },
    ...controlJobs(context),
    { name: 'keep-partitions', run: partitionKeeper(context.database) },
    { name: 'count-service-use', run: () => countServiceUse(context.database, clock.now()) },
    { name: 'count-records', run: recordCounter(context.database, records, wrong) },
    { name: 'note-overdue', run: () => noteOverdue(context, recorder) },
    { name: 'watch-record', run: () => watchRecord({ database: context.database, clock, config }) },
    { name: 'write-owed-records', run: () => writeOwed(context.database, recorder) },
  ];
  return startSchedule({ jobs, clock, log, everyMs: config.schedule.everyMs });
}
