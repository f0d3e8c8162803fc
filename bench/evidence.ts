import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, openDatabase } from '../gateway/store/database.js';
import { fill, keyBeside, verifierKeyOf } from './audit-fill.js';

const COUNT = Number(process.env['BENCH_EVIDENCE_RECORDS'] ?? 100_000);

const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface Step {
  readonly seconds: number;
  readonly peakMb: number;
  readonly idleMb: number;
  readonly megabytes?: number;
}

/** A step in a process of its own, so that its memory is nobody else's. */
function apart(...words: string[]): Step {
  const script = join(import.meta.dirname, 'evidence-step.ts');
  const out = execFileSync(process.execPath, ['--import', 'tsx', script, ...words], { encoding: 'utf8' });
  return JSON.parse(out) as Step;
}

/** A quarter as many records beside them: whether memory grows with the bundle. */
async function main(): Promise<void> {
  const signing = keyBeside(undefined);
  const key = verifierKeyOf(signing);
  const dataDir = mkdtempSync(join(tmpdir(), 'lgsp-bench-evidence-'));
  const results: Record<string, object> = {};
  try {
    const database = openDatabase({ dataDir });
    await migrate(database);
    await fill(database, signing, 2 * COUNT, say);
    await database.close();
    for (const count of [Math.round(COUNT / 4), COUNT]) {
      const file = join(dataDir, 'bundle.zip');
      const made = apart('make', dataDir, file, String(count), key);
      const verified = apart('verify', dataDir, file, String(count), key);
      results[count] = { made, verified };
      for (const [what, { seconds, peakMb, idleMb }] of Object.entries({ made, verified }))
        say(`  ${count} records ${what} in ${seconds} s, ${peakMb} MB at most, ${idleMb} MB before it began`);
      say(`  ${made.megabytes} MB`);
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
  say(JSON.stringify(results));
}

await main();
