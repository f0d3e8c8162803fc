import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalRecord } from '../gateway/audit/canonical.js';
import { verifierKeyText } from '../gateway/audit/checkpoint.js';
import { LogSigners } from '../gateway/audit/log-signers.js';
import { rowOf } from '../gateway/audit/log-store.js';
import { PostgresLog } from '../gateway/audit/postgres-log.js';
import { searchRecords } from '../gateway/audit/search.js';
import { countRecords } from '../gateway/audit/search/count-job.js';
import { openRecordReader } from '../gateway/audit/search/reader.js';
import { type SummaryQuery, summariseRecords } from '../gateway/audit/search/summary.js';
import { SqliteLog } from '../gateway/audit/sqlite-log.js';
import { storedReceipt } from '../gateway/audit/stored-receipt.js';
import { type Database, migrate, openDatabase, SQLITE_PRAGMAS } from '../gateway/store/database.js';
import { createSchema } from './audit-postgres.js';
import { provinceRecords, START, END } from './audit-records.js';

/** Records in one commit: what the log thread joins at most. */
const GROUP = 4096;
const ROUNDS = Number(process.env['BENCH_AUDIT_ROUNDS'] ?? 20);
const COUNT = Number(process.env['BENCH_AUDIT_RECORDS'] ?? 10_000_000);
const ORIGIN = 'lgsp.bench/log';
const keys = generateKeyPairSync('ed25519');

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const seconds = (since: number): number => (performance.now() - since) / 1000;

/** The path of the log thread, but for the thread: leaves, columns, tree, tiles, a signed checkpoint with every commit. */
async function fill(database: Database): Promise<number> {
  const signer = new LogSigners(ORIGIN, [keys.privateKey]);
  const log =
    database.engine === 'sqlite'
      ? new SqliteLog(database.location, signer, [
          ...SQLITE_PRAGMAS,
          'wal_autocheckpoint = 4000',
          'cache_size = -65536',
        ])
      : new PostgresLog(database.location, signer, 60_000);
  await log.open();
  const since = performance.now();
  const records = provinceRecords(COUNT);
  for (let done = 0; done < COUNT; done += GROUP) {
    const rows = [];
    for (let i = 0; i < GROUP && done + i < COUNT; i += 1) {
      const record = records.next().value;
      if (record === undefined) break;
      rows.push(rowOf(canonicalRecord(record), record));
    }
    await log.append(rows, END, () => true);
    if ((done / GROUP) % 250 === 249)
      say(`  ${done + GROUP} records, ${Math.round((done + GROUP) / seconds(since))} a second`);
  }
  const rate = COUNT / seconds(since);
  await log.close();
  return rate;
}

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

const DAY = 86_400_000;
const MONTH = { from: END - 30 * DAY, to: END };

/** What auditors ask: wide and narrow, what is frequent and what is rare, alone and together. */
const SEARCHES: readonly (readonly [name: string, query: SummaryQuery])[] = [
  ['everything', {}],
  ['the service that has 95 %', { service: 'dan-cu' }],
  ['the client that makes 94 %, refused', { system: 'mot-cua-tinh', outcome: 'refused' }],
  ['a month, failed', { ...MONTH, outcome: 'failed' }],
  ['a rare operation of the frequent service', { service: 'dan-cu', operation: 'xacNhan' }],
  [
    'a code of one agency, in a stretch of odd minutes',
    { agency: 'H35.3', code: 'grant_required', from: START + 12_345_678, to: END - 7_654_321 },
  ],
  ['one person', { user: 'cb-000123' }],
  ['one case', { case: 'HS-0000777' }],
  ['a grant, one day', { grant: 'pd-2026-0002', from: END - 9 * DAY, to: END - 8 * DAY }],
  ['a rare client of a rare service', { system: 'he-thong-17', service: 'dat-dai', status: 200 }],
];

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
  const reader = openRecordReader(database, { timeoutMs: 60_000, threads: 2, queue: 32 });
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

async function measure(database: Database): Promise<object> {
  await migrate(database);
  say(`${database.engine}: ${COUNT} records`);
  const appended = Math.round(await fill(database));
  const bytes = Math.round((await bytesOf(database)) / COUNT);
  const since = performance.now();
  await countRecords(database);
  const counted = Math.round(COUNT / seconds(since));
  if (database.engine === 'postgres') await database.knex.raw('ANALYZE');
  say(`  ${appended} appended a second, ${bytes} bytes a record, ${counted} counted a second`);
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

function verifiedApart({ location }: Database): { rate: number; peakMb: number } {
  const key = verifierKeyText(ORIGIN, keys.publicKey);
  const words = ['--import', 'tsx', join(import.meta.dirname, 'audit-verify.ts'), location, key];
  const said = JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' })) as {
    ok: boolean;
    detail?: string;
    seconds: number;
    peak: number;
  };
  if (!said.ok) throw new Error(`the log does not hold: ${said.detail ?? ''}`);
  return { rate: Math.round(COUNT / said.seconds), peakMb: Math.round(said.peak / 1_048_576) };
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

async function main(): Promise<void> {
  const results: Record<string, object> = {};
  const dataDir = mkdtempSync(join(tmpdir(), 'lgsp-bench-audit-'));
  try {
    const database = openDatabase({ dataDir });
    try {
      results['sqlite'] = await measure(database);
    } finally {
      await database.close();
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
  const url = process.env['LGSP_TEST_POSTGRES_URL'];
  if (url !== undefined) {
    const schema = await createSchema(url);
    const database = openDatabase({ dataDir: tmpdir(), databaseUrl: schema.url });
    try {
      results['postgres'] = await measure(database);
    } finally {
      await database.close();
      await schema.drop();
    }
  }
  say(JSON.stringify(results));
}

await main();
