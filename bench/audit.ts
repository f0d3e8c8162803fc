import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addMonths } from '../gateway/audit/partitions.js';
import { searchRecords } from '../gateway/audit/search.js';
import { countRecords } from '../gateway/audit/search/count-job.js';
import { openRecordReader } from '../gateway/audit/search/reader.js';
import { summariseRecords } from '../gateway/audit/search/summary.js';
import { storedReceipt } from '../gateway/audit/stored-receipt.js';
import { type Database, migrate, openDatabase } from '../gateway/store/database.js';
import { fill, keyBeside, verifierKeyOf } from './audit-fill.js';
import { END, START } from './audit-records.js';
import { createSchema } from './audit-postgres.js';
import { SEARCHES } from './audit-searches.js';

const ROUNDS = Number(process.env['BENCH_AUDIT_ROUNDS'] ?? 20);
const COUNT = Number(process.env['BENCH_AUDIT_RECORDS'] ?? 10_000_000);
/** A SQLite file that is kept; where it holds that many records already, they are not written anew. */
const FILE = process.env['BENCH_AUDIT_FILE'];
const key = keyBeside(FILE);

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const seconds = (since: number): number => (performance.now() - since) / 1000;

async function bytesOf({ engine, location, knex }: Database): Promise<number> {
  if (engine === 'sqlite') {
    await knex.raw('PRAGMA wal_checkpoint(TRUNCATE)');
    return statSync(location).size;
  }
  const sizes = await knex.raw<{
    rows: { bytes: string }[];
  }>(`SELECT sum(pg_total_relation_size(c.oid)) AS bytes
    FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'`);
  return Number(sizes.rows[0]?.bytes);
}

async function searches(database: Database): Promise<Record<string, number>> {
  const reader = openRecordReader(database);
  const found: Record<string, number> = {};
  try {
    // The threads start at the first question.
    await Promise.all([
      reader.read([reader.knex('records').max('seq')]),
      reader.read([reader.knex('records').max('seq')]),
    ]);
    for (const [name, query] of SEARCHES) {
      const times: number[] = [];
      let total = '';
      let shown = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const since = performance.now();
        const { interval: _, ...filters } = query;
        const [page, summary] = await Promise.all([
          searchRecords(reader, filters, { all: true }),
          summariseRecords(reader, query, { all: true }),
        ]);
        times.push(performance.now() - since);
        total = `${summary.exact ? '' : 'at least '}${summary.total}`;
        shown = page.items.length;
      }
      times.sort((a, b) => a - b);
      const p95 = times[Math.ceil(times.length * 0.95) - 1] ?? 0;
      found[name] = Math.round(p95 * 10) / 10;
      say(
        `  p95 ${p95.toFixed(1).padStart(7)} ms  best ${(times[0] ?? 0).toFixed(1)} ms  ${name}: ${total}, ${shown} shown`,
      );
    }
  } finally {
    await reader.close();
  }
  return found;
}

/** The longest that this thread was held while searches ran beside it: what a call would have waited. */
async function held(database: Database): Promise<number> {
  const reader = openRecordReader(database, { timeoutMs: 600_000, threads: 2, queue: 32 });
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last - 5);
    last = performance.now();
  }, 5);
  // No index, no limit: what the searches of the product never ask.
  await reader.read([reader.knex('records').count({ n: '*' }).whereRaw(`leaf LIKE '%"nothing"%'`)]);
  clearInterval(timer);
  await reader.close();
  return longest;
}

/** Records appended a second; null where they were there. */
async function filled(database: Database): Promise<number | null> {
  const stored = ((await database.knex('records').max({ seq: 'seq' }).first()) as { seq: number | null }).seq;
  if (stored === COUNT - 1) return null;
  if (stored !== null) throw new Error(`the file holds ${stored + 1} records, not ${COUNT}`);
  return Math.round(await fill(database, key, COUNT, say));
}

async function measure(database: Database): Promise<object> {
  await migrate(database);
  // As the product does before the first record of a month: it keeps three months ahead.
  for (let at = START; at < END; at += 90 * 86_400_000) await addMonths(database.knex, at);
  say(`${database.engine}: ${COUNT} records`);
  const appended = await filled(database);
  const bytes = Math.round((await bytesOf(database)) / COUNT);
  const since = performance.now();
  await countRecords(database);
  const counted = Math.round(COUNT / seconds(since));
  if (database.engine === 'postgres') await database.knex.raw('ANALYZE');
  say(`  ${appended ?? 'none'} appended a second, ${bytes} bytes a record, ${counted} counted a second`);
  const p95 = await searches(database);
  const heldMs = Math.round(await held(database));
  say(`  the main thread was held ${heldMs} ms at most while the whole log was searched without an index`);
  const verified = verifiedApart(database);
  say(`  ${verified.rate} verified a second, ${verified.peakMb} MB at most`);
  const proof = await proofTime(database);
  return {
    records: COUNT,
    appended,
    bytes,
    counted,
    p95,
    heldMs,
    verified: verified.rate,
    peakMb: verified.peakMb,
    ...proof,
  };
}

/** Writes the largest memory of the process, in KiB, as the last word of what it says when it ends. */
const PEAK = `data:text/javascript,import{isMainThread as main}from"node:worker_threads";
  if(main)process.on("exit",()=>console.error(process.resourceUsage().maxRSS))`;

/** The command of the built product, in a process of its own, so that its memory is nobody else's. */
function verifiedApart({ engine, location }: Database): { rate: number; peakMb: number } {
  const command = join(import.meta.dirname, '../dist/gateway/cli/lgsp.js');
  const words = ['--import', PEAK, command, 'audit', 'verify', '--json', '--key', verifierKeyOf(key)];
  const env = {
    ...process.env,
    LGSP_DATABASE_URL: engine === 'sqlite' ? `sqlite:${location}` : location,
    LGSP_DATA_DIR: tmpdir(),
  };
  const since = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', env });
  const rate = Math.round(COUNT / seconds(since));
  if (status !== 0) throw new Error(`the log does not hold: ${stdout}${stderr}`);
  return { rate, peakMb: Math.round(Number(stderr.trim().split('\n').at(-1)) / 1024) };
}

/** Receipts of records all over the log: leaf, inclusion proof and checkpoint, read from the store each time. */
async function proofTime(database: Database): Promise<{ proofMs: number }> {
  const times: number[] = [];
  for (let i = 0; i < 200; i += 1) {
    const began = performance.now();
    await storedReceipt(database, Math.floor((i / 200) * COUNT));
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const proofMs = Math.round((times[189] ?? 0) * 100) / 100;
  say(`  a receipt with its inclusion proof p95 ${proofMs} ms`);
  return { proofMs };
}

async function onSqlite(): Promise<object> {
  const dataDir = mkdtempSync(join(tmpdir(), 'lgsp-bench-audit-'));
  const database = openDatabase({
    dataDir,
    databaseUrl: FILE === undefined ? undefined : `sqlite:${FILE}`,
  });
  try {
    return await measure(database);
  } finally {
    await database.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function onPostgres(url: string): Promise<object> {
  const schema = await createSchema(url);
  const database = openDatabase({ dataDir: tmpdir(), databaseUrl: schema.url });
  try {
    return await measure(database);
  } finally {
    await database.close();
    await schema.drop();
  }
}

async function main(): Promise<void> {
  const url = process.env['LGSP_TEST_POSTGRES_URL'];
  const sqlite = process.env['LGSP_TEST_SQLITE'] === 'off' ? {} : { sqlite: await onSqlite() };
  const postgres = url === undefined ? {} : { postgres: await onPostgres(url) };
  say(JSON.stringify({ ...sqlite, ...postgres }));
}

await main();
