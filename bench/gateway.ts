import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fill } from './province.js';

// The built gateway, as it is run in production: a loader's rewriting would be measured along with it.
const built = (path: string): string => new URL(`../dist/${path}`, import.meta.url).href;
const { startGateway } = (await import(built('gateway/main.js'))) as typeof import('../gateway/main.js');
const { loadConfig } = (await import(
  built('gateway/base/config.js')
)) as typeof import('../gateway/base/config.js');
const { migrate, openDatabase } = (await import(
  built('gateway/store/database.js')
)) as typeof import('../gateway/store/database.js');

const [upstream = '', services = '10'] = process.argv.slice(2);
const dataDir = mkdtempSync(join(tmpdir(), 'lgsp-bench-'));

const port = await new Promise<number>((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port: free } = probe.address() as { port: number };
    probe.close(() => resolve(free));
  });
});

const database = openDatabase({ dataDir });
await migrate(database);
await fill(database, Number(services), upstream);
await database.close();

const config = loadConfig({
  dataDir,
  port,
  host: '127.0.0.1',
  logLevel: 'error',
  egress: { addresses: ['127.0.0.0/8'] },
  // The bare proxy knows no subscriptions either.
  sharing: { defaultSharing: 'open' },
  verification: { everyHours: 0 },
});
const began = process.hrtime.bigint();
const gateway = await startGateway(config);
process.send?.({ port, bootMs: Number((process.hrtime.bigint() - began) / 1_000_000n) });
async function stop(): Promise<void> {
  await gateway.close();
  rmSync(dataDir, { recursive: true, force: true });
}

process.on('disconnect', () => void stop().finally(() => process.exit(0)));
