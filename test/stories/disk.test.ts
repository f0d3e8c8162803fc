import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { type ChildGateway, startChildGateway } from '../kit/child-gateway.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { eventually, startTestGateway, testClient, type TestGateway, testSettings } from '../kit/gateway.js';
import { soundLog } from '../kit/log.js';
import { freePort } from '../kit/ports.js';
import { addAgency, addService, addSystem } from '../kit/province.js';
import { GOOD, type Source, startSource } from '../kit/source.js';
import { migrate, openDatabase } from '../../gateway/store/database.js';

const S = '/data/H35.11/thu/v1';
const WRITE: RequestInit = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(GOOD),
};

/** A refusal for want of a record: nothing of the source's answer may be in it. */
async function assertUnrecorded(response: Response): Promise<void> {
  const text = await response.text();
  assert.equal(response.status, 503, text);
  assert.ok(!text.includes(GOOD.name), text);
  assert.equal((JSON.parse(text) as { code: string }).code, 'record_unavailable');
}

for (const engine of engines) {
  describe(`a log that cannot be written, on ${engine.name}`, function () {
    this.timeout(60_000);
    let test: TestDatabase;
    let source: Source;
    let gateway: TestGateway;
    let unlock: () => Promise<void>;

    before(async () => {
      test = await engine.create();
      source = await startSource();
      await addAgency(test.database, 'H35.11');
      await addSystem(test.database, 'consumer', 'H35.11');
      await addService(test.database, source.url);
      gateway = await startTestGateway(test, { record: { timeoutMs: 300 } });
    });

    after(async () => {
      await unlock();
      await gateway.close();
      await source.close();
      await test.drop();
    });

    /** Another connection takes the database for itself. @returns gives it back, once */
    async function lock(): Promise<() => Promise<void>> {
      if (test.database.engine === 'sqlite') {
        const other = new BetterSqlite3(test.database.location);
        other.exec('BEGIN EXCLUSIVE');
        return () => {
          other.close();
          return Promise.resolve();
        };
      }
      const trx = await test.again().knex.transaction();
      await trx.raw('LOCK TABLE records IN ACCESS EXCLUSIVE MODE');
      return async () => {
        if (!trx.isCompleted()) await trx.rollback();
      };
    }

    it('answers before', async () => {
      unlock = () => Promise.resolve();
      assert.equal((await gateway.call('consumer', `${S}/ok`)).status, 200);
    });

    it('refuses every call, and releases nothing of what the source said', async () => {
      unlock = await lock();
      const seen = source.seen.length;
      await assertUnrecorded(await gateway.call('consumer', `${S}/ok`));
      assert.equal(source.seen.length, seen + 1);
      await Promise.all(
        Array.from({ length: 5 }, async () => assertUnrecorded(await gateway.call('consumer', `${S}/ok`))),
      );
    });

    it('does not let a write reach the source, whose opening record is missing', async () => {
      const seen = source.seen.length;
      await assertUnrecorded(await gateway.call('consumer', `${S}/ok/write`, WRITE));
      assert.equal(source.seen.length, seen);
    });

    it('refuses a refusal, too: no attempt is without its record', async () => {
      await assertUnrecorded(await gateway.call('consumer', '/data/H35.11/khong-co/v1/ok'));
    });

    it('works again when the database is given back, and its log verifies', async () => {
      await unlock();
      const id = await eventually(async () => {
        const response = await gateway.call('consumer', `${S}/ok`);
        return response.status === 200 ? (response.headers.get('lgsp-record') ?? 'none') : undefined;
      }, 'an answer');
      const records = await soundLog(test.database);
      assert.equal(records.filter((record) => record.id === id).length, 1);
      const claimed = records.filter(({ kind, outcome }) => kind === 'closing' && outcome === 'answered');
      const withheld = new Set(
        records.flatMap(({ code, target }) => (code === 'record_unavailable' ? (target?.key ?? []) : [])),
      );
      // Two answers were released; any other that the log claims must be named as withheld.
      assert.equal(claimed.filter((record) => !withheld.has(record.id)).length, 2);
    });
  });
}

describe('a disk that is full, under SQLite', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'lgsp-disk-'));
  let mounted = false;
  let source: Source;
  let gateway: ChildGateway | undefined;
  const database = () => openDatabase({ dataDir: folder });

  before(async function () {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', folder], { stdio: 'ignore' });
    } catch {
      return this.skip();
    }
    mounted = true;
    source = await startSource();
    const mine = database();
    await migrate(mine);
    await addAgency(mine, 'H35.11');
    await addSystem(mine, 'consumer', 'H35.11');
    await addService(mine, source.url);
    const settings = testSettings({ database: mine, dataDir: folder }, await freePort());
    await mine.close();
    gateway = await startChildGateway({ ...settings, record: { timeoutMs: 2000 } });
  });

  after(async () => {
    await gateway?.kill();
    if (mounted) {
      await source.close();
      execFileSync('umount', [folder]);
    }
    rmSync(folder, { recursive: true, force: true });
  });

  /** Takes all the room that is left. */
  function fill(): void {
    const file = openSync(join(folder, 'ballast'), 'w');
    try {
      for (const size of [65_536, 512])
        for (let count = 0; count < 10_000; count += 1) if (!wrote(file, size)) break;
    } finally {
      closeSync(file);
    }
  }

  function wrote(file: number, size: number): boolean {
    try {
      return writeSync(file, Buffer.alloc(size, 1)) === size;
    } catch {
      return false;
    }
  }

  it('refuses calls, goes on running, and works again when there is room', async () => {
    const running = gateway as ChildGateway;
    const client = testClient(running.url, running.url.replace('127.0.0.1', 'localhost'));
    const answered: string[] = [];
    const call = async (): Promise<Response> => {
      const response = await client.call('consumer', `${S}/ok`);
      if (response.status === 200) answered.push(response.headers.get('lgsp-record') ?? 'none');
      return response;
    };
    assert.equal((await call()).status, 200);
    fill();
    let refused: Response | undefined;
    // Room that the journal already has is used up first.
    for (let count = 0; count < 1000 && refused === undefined; count += 1) {
      const response = await call();
      if (response.status !== 200) refused = response;
    }
    assert.ok(refused !== undefined, 'the disk was never full');
    await assertUnrecorded(refused);
    await assertUnrecorded(await call());
    assert.equal(running.ended(), null, 'it fell');
    rmSync(join(folder, 'ballast'));
    await eventually(async () => ((await call()).status === 200 ? true : undefined), 'an answer');
    assert.equal(running.ended(), null, 'it fell');
    const mine = database();
    try {
      const ids = (await soundLog(mine)).filter(({ kind }) => kind === 'closing').map(({ id }) => id);
      assert.deepEqual(
        answered.filter((id) => !ids.includes(id)),
        [],
      );
    } finally {
      await mine.close();
    }
  });
});
