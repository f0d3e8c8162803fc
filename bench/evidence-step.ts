import { createWriteStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseVerifierKey } from '../gateway/audit/checkpoint.js';
import { makeBundle } from '../gateway/audit/evidence/make.js';
import { verifyBundle } from '../gateway/audit/evidence/verify.js';
import { latestCheckpoint } from '../gateway/audit/search.js';
import { openRecordReader } from '../gateway/audit/search/reader.js';
import { openDatabase } from '../gateway/store/database.js';

/** Makes a bundle of the newest records of the most frequent client, or verifies it. Says one line of JSON. */
const [step = '', dataDir = '', file = '', count = '', key = ''] = process.argv.slice(2);

async function make(): Promise<void> {
  const database = openDatabase({ dataDir });
  const reader = openRecordReader(database, { timeoutMs: 60_000, threads: 2, queue: 32 });
  const head = await latestCheckpoint(database);
  if (head === null) throw new Error('the log is empty');
  const { chunks } = makeBundle({
    database,
    reader,
    selection: { query: { system: 'mot-cua-tinh' }, scope: { all: true }, most: Number(count) },
    head,
    keys: { origin: 'lgsp.bench/log', keys: [key], handOvers: [] },
    about: {
      made: new Date().toISOString(),
      maker: { name: 'bench', agency: 'H35.1' },
      scope: {},
      filters: { system: 'mot-cua-tinh' },
    },
  });
  await pipeline(Readable.from(chunks(), { objectMode: false }), createWriteStream(file));
  await reader.close();
  await database.close();
}

async function verify(): Promise<void> {
  const { tally } = await verifyBundle(file, [parseVerifierKey(key)]);
  if (tally.count !== Number(count)) throw new Error(`${tally.count} records were verified`);
}

const mb = (bytes: number): number => Math.round(bytes / 1_048_576);
const idleMb = mb(process.memoryUsage().rss);
const since = performance.now();
await (step === 'make' ? make() : verify());
const seconds = Math.round((performance.now() - since) / 10) / 100;
const peakMb = mb(process.resourceUsage().maxRSS * 1024);
const megabytes = Math.round(statSync(file).size / 100_000) / 10;
process.stdout.write(`${JSON.stringify({ seconds, peakMb, idleMb, megabytes })}\n`);
