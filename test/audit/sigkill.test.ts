import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import type { Database } from '../../gateway/store/database.js';
import { engines } from '../kit/databases.js';
import { ownModule } from '../kit/own-module.js';
import { logKeys, startLog, verify } from './log.js';
import { aRecord } from './records.js';

const WRITER = ownModule(import.meta.url, './writer');
const ROUNDS = 3;

function startWriter(database: Database): ChildProcess {
  return spawn(process.execPath, [...WRITER.execArgv, WRITER.path], {
    env: {
      ...process.env,
      ENGINE: database.engine,
      LOCATION: database.location,
      LOG_KEY: logKeys.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Ids that the writer acknowledged before it was killed, in the middle of its work. */
async function killedAfter(database: Database, acknowledged: number): Promise<string[]> {
  const child = startWriter(database);
  let text = '';
  let ended = false;
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (!ended && text.split('\n').length > acknowledged) {
      ended = true;
      child.kill('SIGKILL');
    }
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once('close', (...how) => resolve(how)),
  );
  assert.deepEqual([code, signal], [null, 'SIGKILL']);
  // What follows the last line end was cut off by the kill.
  return text.split('\n').slice(0, -1);
}

for (const engine of engines) {
  describe(`a node that is killed, on ${engine.name}`, () => {
    it('loses no record that it had acknowledged, and the log still verifies', async function () {
      this.timeout(60_000);
      const test = await engine.create();
      try {
        const acknowledged: string[] = [];
        for (let round = 1; round <= ROUNDS; round++) {
          acknowledged.push(...(await killedAfter(test.database, 150 * round)));
          const { ok, size, fault } = await verify(test.database);
          assert.deepEqual([ok, fault], [true, undefined]);
          assert.ok(size >= acknowledged.length);
        }
        const rows = await test.database.knex('records').select('id');
        const stored = new Set(rows.map((row) => row.id as string));
        assert.ok(acknowledged.length >= 150 * 6);
        assert.deepEqual(
          acknowledged.filter((id) => !stored.has(id)),
          [],
        );
        const recorder = await startLog(test.database);
        assert.equal((await recorder.write(aRecord())).index, stored.size, 'the next node goes on');
        await recorder.close();
      } finally {
        await test.drop();
      }
    });
  });
}
