import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import { ReaderThreads, type StartReader, startReader } from '../../gateway/audit/search/reader-threads.js';
import { openRecordReader, type RecordReader } from '../../gateway/audit/search/reader.js';
import { Problem } from '../../gateway/base/problem.js';
import { type TestDatabase, embedded, engines } from '../kit/databases.js';

const refusedAs = (id: string) => (fault: unknown) =>
  fault instanceof Problem && fault.code === 'overloaded' && fault.parts.rule?.id === id;

for (const engine of engines) {
  describe(`reading the record apart from all else on ${engine.name}`, function () {
    this.timeout(60_000);
    let test: TestDatabase;
    const opened: RecordReader[] = [];
    const open = (timeoutMs: number, threads = 1, queue = 1): RecordReader => {
      const reader = openRecordReader(test.database, { timeoutMs, threads, queue });
      opened.push(reader);
      return reader;
    };
    before(async () => {
      test = await engine.create();
    });
    after(async () => {
      for (const reader of opened) await reader.close();
      await test.drop();
    });

    const one = ({ knex }: RecordReader) => knex('progress').select('value').where({ name: 'record-counts' });
    /** About a second and a half of counting, whatever the machine: it is never waited for. */
    const slow = ({ knex }: RecordReader) =>
      knex
        .withRecursive('n', ['x'], knex.raw('SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 30000000'))
        .from('n')
        .count({ n: '*' });

    it('answers several questions of one moment', async () => {
      const reader = open(30_000);
      assert.deepEqual(await reader.read([one(reader), one(reader)]), [[{ value: -1 }], [{ value: -1 }]]);
    });

    if (engine.name === 'PostgreSQL')
      it('has nothing compiled and no process started for a question', async () => {
        const reader = open(30_000);
        const setting = (name: string) => reader.knex.raw('current_setting(?) AS ??', [name, name]);
        const asked = reader.knex.select(setting('jit'), setting('max_parallel_workers_per_gather'));
        assert.deepEqual(await reader.read([asked]), [
          [{ jit: 'off', max_parallel_workers_per_gather: '0' }],
        ]);
      });

    it('stops what takes too long, says so, and answers the next', async () => {
      const reader = open(1500);
      // The thread is up before its time is measured.
      await reader.read([one(reader)]).catch(() => undefined);
      await assert.rejects(reader.read([slow(reader)]), refusedAs('record.searchMs'));
      const again = open(30_000);
      assert.deepEqual(await again.read([one(again)]), [[{ value: -1 }]]);
    });

    it('refuses more than may wait', async () => {
      const reader = open(30_000, 1, 1);
      const asked = [1, 2, 3].map(() => reader.read([one(reader)]));
      const ends = await Promise.allSettled(asked);
      assert.deepEqual(
        ends.map(({ status }) => status),
        ['fulfilled', 'fulfilled', 'rejected'],
      );
      await assert.rejects(asked[2] ?? Promise.resolve(), refusedAs('record.searches'));
    });

    it('does not hold the thread that answers calls', async () => {
      const reader = open(1000);
      await reader.read([one(reader)]).catch(() => undefined);
      let turns = 0;
      const timer = setInterval(() => (turns += 1), 10);
      await reader.read([slow(reader)]).catch(() => undefined);
      clearInterval(timer);
      assert.ok(turns > 5, `${turns} turns of the loop while it searched`);
    });
  });
}

/** A thread that ends as soon as it is up, as one does that is out of memory. */
const lost = (): Worker => new Worker(`process.exit(7)`, { eval: true });
const late = (): Error => new Error('late');
const QUESTION = [{ sql: 'SELECT value FROM progress WHERE name = ?', bindings: ['record-counts'] }];

describe('threads that read the record of SQLite', function () {
  this.timeout(60_000);
  let test: TestDatabase;
  before(async () => {
    test = await embedded.create();
  });
  after(() => test.drop());

  const starting = (first: readonly (() => Worker)[]): { threads: ReaderThreads; started: () => number } => {
    let count = 0;
    const start: StartReader = (location) => (first[count++] ?? (() => startReader(location)))();
    return { threads: new ReaderThreads(test.database.location, 60_000, start), started: () => count };
  };

  it('are replaced when one is lost, and its question is asked once more', async () => {
    const { threads, started } = starting([lost]);
    try {
      assert.deepEqual(await threads.read(QUESTION, late), [[{ value: -1 }]]);
      assert.equal(started(), 2);
      assert.deepEqual(await threads.read(QUESTION, late), [[{ value: -1 }]]);
      assert.equal(started(), 2, 'the one that answers is kept');
    } finally {
      await threads.close();
    }
  });

  it('say how they ended, when the second is lost as well', async () => {
    const { threads, started } = starting([lost, lost]);
    try {
      await assert.rejects(threads.read(QUESTION, late), /a thread that reads the record ended \(7\)/);
      assert.equal(started(), 2);
    } finally {
      await threads.close();
    }
  });

  it('say what ended them', async () => {
    const broken = (): Worker => new Worker(`throw new Error('no memory')`, { eval: true });
    const { threads } = starting([broken, broken]);
    try {
      await assert.rejects(
        threads.read(QUESTION, late),
        ({ cause }: Error) => cause instanceof Error && cause.message === 'no memory',
      );
    } finally {
      await threads.close();
    }
  });

  it('are not started any more once they were closed', async () => {
    const { threads, started } = starting([]);
    await threads.close();
    await assert.rejects(threads.read(QUESTION, late), /not read any more/);
    assert.equal(started(), 0);
  });
});

describe('the thread that reads the record of SQLite', () => {
  it('cannot write', async () => {
    const test = await embedded.create();
    const reader = openRecordReader(test.database);
    try {
      const write = reader.knex('progress').where({ name: 'record-counts' }).update({ value: 9 });
      await assert.rejects(reader.read([write]), /could not be read/);
      const [row] = (await test.database.knex('progress').where({ name: 'record-counts' })) as {
        value: number;
      }[];
      assert.equal(row?.value, -1);
    } finally {
      await reader.close();
      await test.drop();
    }
  });
});
