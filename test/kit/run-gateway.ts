import { once } from 'node:events';
import { loadConfig } from '../../gateway/base/config.js';
import { createLog } from '../../gateway/base/log.js';
import { startGateway } from '../../gateway/main.js';
import type { ChildSettings } from './child-gateway.js';

/** A gateway as a process of its own, which a test may kill; it starts when it is told. See `child-gateway.ts`. */
const { settings, aheadMs } = JSON.parse(process.argv[2] ?? '{}') as ChildSettings;
// A test that is gone takes its gateway with it.
process.stdin.on('close', () => process.exit(1));
await once(process.stdin, 'data');
const { url } = await startGateway(loadConfig(settings), {
  log: createLog('silent'),
  clock: { now: () => Date.now() + aheadMs },
});
process.stdout.write(`${url}\n`);
