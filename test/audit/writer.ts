import type { Engine } from '../../gateway/store/database.js';
import { systemClock } from '../../gateway/base/clock.js';
import { uuidv7 } from '../../gateway/base/ids.js';
import { createLog } from '../../gateway/base/log.js';
import { startRecorder } from '../../gateway/audit/recorder.js';
import { ORIGIN } from './log.js';
import { aRecord } from './records.js';

// A node that does nothing but write: it prints each id once its record is durable, until it is killed.
const recorder = await startRecorder({
  engine: process.env['ENGINE'] as Engine,
  location: process.env['LOCATION'] ?? '',
  origin: ORIGIN,
  logKey: { kid: 'log-1', privateKeyPem: process.env['LOG_KEY'] ?? '' },
  queue: 1000,
  timeoutMs: 5000,
  log: createLog('silent'),
  clock: systemClock,
});

async function writeForEver(): Promise<void> {
  for (let i = 0; i < 100_000; i++) {
    const { id } = await recorder.write(aRecord({ id: uuidv7(Date.now()) }));
    process.stdout.write(`${id}\n`);
  }
}

await Promise.all(Array.from({ length: 16 }, writeForEver));
