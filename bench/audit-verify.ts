import { verifyLog } from '../gateway/audit/verify/verify.js';
import { openDatabase } from '../gateway/store/database.js';

/** Verifies a log in a process of its own, so that its memory is nobody else's. Says one line of JSON. */
const [location = '', verifierKey = ''] = process.argv.slice(2);
const databaseUrl = location.startsWith('postgres') ? location : `sqlite:${location}`;
const database = openDatabase({ dataDir: '.', databaseUrl });
let peak = 0;
const since = performance.now();
const { ok, size, fault } = await verifyLog(database, {
  verifierKeys: [verifierKey],
  onProgress: () => (peak = Math.max(peak, process.memoryUsage().rss)),
});
const seconds = (performance.now() - since) / 1000;
await database.close();
process.stdout.write(`${JSON.stringify({ ok, size, detail: fault?.detail, seconds, peak })}\n`);
