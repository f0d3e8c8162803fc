import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Database } from '../../gateway/store/database.js';
import { migrationSource } from '../../migrations/index.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { ownModule } from '../kit/own-module.js';

const MIGRATOR = ownModule(import.meta.url, './migrator');
const PROCESSES = 4;

interface Migrator {
  /** @returns the steps that it took */
  migrate(): Promise<string[]>;
}

/** A process that has loaded everything and waits for the word. */
async function startMigrator({ dataDir, database }: TestDatabase): Promise<Migrator> {
  const url = database.engine === 'postgres' ? [database.location] : [];
  const args = [...MIGRATOR.execArgv, MIGRATOR.path, dataDir, ...url];
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const exit = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return {
    async migrate() {
      child.stdin.write('go\n');
      const said = (await lines.next()) as IteratorResult<string, undefined>;
      const [code] = (await exit) as [number | null];
      assert.equal(code, 0, complaint);
      return JSON.parse(said.value ?? '') as string[];
    },
  };
}

async function locks({ knex }: Database): Promise<number> {
  return (await knex('knex_migrations_lock')).length;
}

for (const engine of engines) {
  describe(`processes that migrate at the same instant, on ${engine.name}`, function () {
    this.timeout(120_000);
    const all = async () => (await migrationSource.getMigrations([])).map(({ name }) => name);

    /** Migrates in all processes at once. @returns the steps of those that took any */
    async function together(test: TestDatabase): Promise<string[][]> {
      // The processes come to a file that nobody has opened yet.
      await test.database.close();
      const ready = await Promise.all(Array.from({ length: PROCESSES }, () => startMigrator(test)));
      const ended = await Promise.allSettled(ready.map((one) => one.migrate()));
      const failed = ended.find((one) => one.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      return ended.flatMap((one) => (one.status === 'fulfilled' && one.value.length > 0 ? [one.value] : []));
    }

    for (const round of [1, 2, 3])
      it(`all come up on an empty database, and one of them migrated it (${round} of 3)`, async () => {
        const test = await engine.create({ migrated: false });
        try {
          assert.deepEqual(await together(test), [await all()]);
          assert.equal(await locks(test.again()), 1);
        } finally {
          await test.drop();
        }
      });

    it('all come up on one of an older release', async () => {
      const test = await engine.create();
      try {
        const last = (await all()).at(-1) ?? '';
        await test.database.knex.migrate.down({ name: last });
        assert.deepEqual(await together(test), [[last]]);
      } finally {
        await test.drop();
      }
    });
  });
}
