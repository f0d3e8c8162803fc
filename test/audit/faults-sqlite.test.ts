import assert from 'node:assert/strict';
import BetterSqlite3 from 'better-sqlite3';
import type { AuditRecord, Recorder } from '../../gateway/audit/record.js';
import type { RecorderOptions } from '../../gateway/audit/recorder.js';
import { Problem } from '../../gateway/base/problem.js';
import { type TestDatabase, embedded } from '../kit/databases.js';
import { eventually, startLog, verify } from './log.js';
import { aRecord } from './records.js';

const codeOf = (fault: unknown): string => (fault instanceof Problem ? fault.code : String(fault));

describe('the recorder, when SQLite', () => {
  let test: TestDatabase;
  let recorder: Recorder;
  let other: BetterSqlite3.Database;
  const start = async (change: Partial<RecorderOptions>) =>
    (recorder = await startLog(test.database, change));
  const outcomes = async (records: readonly AuditRecord[]) => {
    const settled = await Promise.allSettled(records.map((one) => recorder.write(one)));
    return settled.map((one) => (one.status === 'fulfilled' ? 'written' : codeOf(one.reason)));
  };
  const stored = async (id: string) => (await test.database.knex('records').where({ id })).length;

  beforeEach(async () => {
    test = await embedded.create();
    other = new BetterSqlite3(test.database.location, { timeout: 5000 });
  });
  afterEach(async () => {
    other.close();
    await recorder.close();
    await test.drop();
  });

  it('is locked for longer than the log waits: refuses, and goes on afterwards', async () => {
    await start({ pragmas: ['busy_timeout = 100'] });
    await recorder.write(aRecord());
    other.exec('BEGIN EXCLUSIVE');
    const refused = [aRecord(), aRecord()];
    assert.deepEqual(await outcomes(refused), ['record_unavailable', 'record_unavailable']);
    other.exec('ROLLBACK');
    assert.equal((await recorder.write(aRecord())).index, 1);
    for (const { id } of refused) assert.equal(await stored(id), 0, 'what was refused is never written');
    assert.deepEqual(await verify(test.database).then(({ ok, size }) => [ok, size]), [true, 2]);
  });

  it('is locked for longer than a caller waits: what was refused is not written later', async () => {
    await start({ pragmas: ['busy_timeout = 4000'], timeoutMs: 200 });
    other.exec('BEGIN IMMEDIATE');
    const refused = [aRecord(), aRecord()];
    assert.deepEqual(await outcomes(refused), ['record_unavailable', 'record_unavailable']);
    assert.equal(recorder.waiting, 2, 'the thread still holds them');
    other.exec('ROLLBACK');
    await eventually(() => Promise.resolve(recorder.waiting === 0 ? true : undefined));
    for (const { id } of refused) assert.equal(await stored(id), 0);
    assert.equal((await recorder.write(aRecord())).index, 0);
    assert.equal((await verify(test.database)).ok, true);
  });

  it('is locked: drops from a group only those whose time is up', async () => {
    await start({ pragmas: ['busy_timeout = 4000'], timeoutMs: 1500 });
    other.exec('BEGIN IMMEDIATE');
    const early = aRecord();
    const first = outcomes([early]);
    // The second is written while the first is waiting, and has time left when that one's is over.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const late = aRecord();
    const second = outcomes([late]);
    assert.deepEqual(await first, ['record_unavailable']);
    other.exec('ROLLBACK');
    assert.deepEqual(await second, ['written']);
    assert.deepEqual([await stored(early.id), await stored(late.id)], [0, 1]);
  });

  it('is slow: refuses at once what exceeds the queue', async () => {
    await start({ queue: 3, pragmas: ['busy_timeout = 4000'] });
    other.exec('BEGIN IMMEDIATE');
    const waiting = outcomes([aRecord(), aRecord(), aRecord()]);
    assert.deepEqual(await outcomes([aRecord()]), ['overloaded']);
    other.exec('ROLLBACK');
    assert.deepEqual(await waiting, ['written', 'written', 'written']);
    assert.deepEqual(await outcomes([aRecord()]), ['written'], 'there is room again');
  });

  it('is full: refuses, keeps what it has, and goes on when there is room', async () => {
    other.exec('CREATE TABLE ballast (bytes BLOB)');
    const fill = other.prepare('INSERT INTO ballast VALUES (zeroblob(200000))');
    for (let i = 0; i < 5; i++) fill.run();
    const pages = other.pragma('page_count', { simple: true }) as number;
    await start({ pragmas: [`max_page_count = ${pages + 20}`] });
    const kept: AuditRecord[] = [];
    let refused: AuditRecord[] = [];
    for (let i = 0; i < 100 && refused.length === 0; i++) {
      const group = Array.from({ length: 10 }, () => aRecord());
      const ends = new Set(await outcomes(group));
      assert.equal(ends.size, 1, 'all of a group or none');
      if (ends.has('written')) kept.push(...group);
      else refused = group;
    }
    assert.ok(kept.length > 0 && refused.length === 10, 'the limit was reached');
    assert.equal((await verify(test.database)).size, kept.length);
    other.exec('DROP TABLE ballast');
    // As many records as were refused come in elsewhere: the tree is then as large as if they had been written.
    const elsewhere = await startLog(test.database);
    await Promise.all(refused.map(() => elsewhere.write(aRecord())));
    await elsewhere.close();
    assert.equal((await recorder.write(aRecord())).index, kept.length + refused.length);
    for (const { id } of refused) assert.equal(await stored(id), 0);
    assert.equal((await verify(test.database)).ok, true);
  });
});
