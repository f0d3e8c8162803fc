import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Recorder } from '../../gateway/audit/record.js';
import type { RecorderOptions } from '../../gateway/audit/recorder.js';
import { searchRecords } from '../../gateway/audit/search.js';
import { Problem } from '../../gateway/base/problem.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { eventually, startLog, verify } from './log.js';
import { aRecord } from './records.js';

const unavailable = (fault: unknown): boolean =>
  fault instanceof Problem && fault.code === 'record_unavailable';

/** A wire between the log and the server that can be cut at the worst moment. */
class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #upstreams = new Set<Socket>();
  /** The next commit reaches the server, its answer does not come back. */
  loseAnswer = false;
  /** Nobody gets through. */
  down = false;
  commits = 0;

  private constructor(to: URL) {
    this.#server = createServer((client) => {
      if (this.down) return void client.destroy();
      const upstream = connect(Number(to.port || 5432), to.hostname);
      this.#upstreams.add(upstream);
      upstream.on('close', () => this.#upstreams.delete(upstream));
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket
          .on('error', () => undefined)
          .on('close', () => {
            this.#sockets.delete(socket);
            client.destroy();
            upstream.end();
          });
      }
      let lost = false;
      client.on('data', (bytes) => {
        if (bytes.includes('COMMIT\u0000')) {
          this.commits++;
          lost = this.loseAnswer;
          this.loseAnswer = false;
        }
        upstream.write(bytes);
      });
      upstream.on('data', (bytes) => {
        if (lost) {
          this.down ||= this.downAfterLoss;
          client.destroy();
        } else client.write(bytes);
      });
    });
  }

  downAfterLoss = false;

  static async open(to: URL): Promise<Wire> {
    const wire = new Wire(to);
    await new Promise<void>((resolve) => wire.#server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  url(of: string): string {
    const url = new URL(of);
    url.hostname = '127.0.0.1';
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  /** The ports that the server sees this wire come from. */
  get ports(): number[] {
    return [...this.#upstreams].flatMap((socket) => socket.localPort ?? []);
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const postgres = engines.find((engine) => engine.name === 'PostgreSQL');

if (postgres !== undefined) {
  describe('the recorder, when PostgreSQL', () => {
    let test: TestDatabase;
    let wire: Wire;
    let recorder: Recorder;
    const start = async (change: Partial<RecorderOptions> = {}) => {
      const location = wire.url(test.database.location);
      recorder = await startLog({ ...test.database, location }, change);
    };
    const withheld = (id: string) =>
      eventually(async () => {
        const { items } = await searchRecords(test.database, { noun: 'record', target: id }, { all: true });
        return items[0];
      });
    const stored = async (id: string) => (await test.database.knex('records').where({ id })).length;

    beforeEach(async () => {
      test = await postgres.create();
      wire = await Wire.open(new URL(test.database.location));
    });
    afterEach(async () => {
      await recorder.close();
      await wire.close();
      await test.drop();
    });

    it('dropped the connection while nothing was under way: nobody notices', async () => {
      await start();
      await recorder.write(aRecord());
      wire.cut();
      assert.equal((await recorder.write(aRecord())).index, 1);
      assert.equal((await verify(test.database)).ok, true);
    });

    it('ended the session: nobody notices', async () => {
      await start();
      await recorder.write(aRecord());
      // Only the session at the other end of this very wire: other suites use the same server.
      const ended = await test.database.knex.raw(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_port = ANY(?)',
        [wire.ports],
      );
      assert.equal(ended.rows.length, 1);
      assert.equal((await recorder.write(aRecord())).index, 1);
    });

    it('cannot be reached: refuses, and goes on afterwards', async () => {
      await start();
      await recorder.write(aRecord());
      wire.down = true;
      wire.cut();
      const refused = aRecord();
      await assert.rejects(recorder.write(refused), unavailable);
      wire.down = false;
      assert.equal((await recorder.write(aRecord())).index, 1);
      assert.equal(await stored(refused.id), 0);
      assert.deepEqual(await verify(test.database).then(({ ok, size }) => [ok, size]), [true, 2]);
    });

    it('lost the answer to a commit that succeeded: finds the records, and writes none twice', async () => {
      await start();
      await recorder.write(aRecord());
      wire.loseAnswer = true;
      const records = Array.from({ length: 5 }, () => aRecord());
      const places = await Promise.all(records.map((one) => recorder.write(one)));
      assert.deepEqual(
        places.map(({ index }) => index),
        [1, 2, 3, 4, 5],
      );
      for (const { id } of records) assert.equal(await stored(id), 1);
      assert.deepEqual(await verify(test.database).then(({ ok, size }) => [ok, size]), [true, 6]);
    });

    it('lost the answer and cannot be reached: refuses, and later tells that the answer was withheld', async () => {
      await start();
      await recorder.write(aRecord());
      wire.loseAnswer = true;
      wire.downAfterLoss = true;
      const doubtful = aRecord();
      await assert.rejects(recorder.write(doubtful), unavailable);
      assert.equal(await eventually(async () => ((await stored(doubtful.id)) === 1 ? 1 : undefined)), 1);
      wire.down = false;
      await recorder.write(aRecord());
      const act = await withheld(doubtful.id);
      assert.deepEqual(
        [act.kind, act.plane, act.operation, act.outcome, act.code],
        ['act', 'system', 'withhold-answer', 'failed', 'record_unavailable'],
      );
      assert.deepEqual(act.target, { noun: 'record', key: doubtful.id, after: { released: false } });
      assert.equal((await verify(test.database)).ok, true);
    });

    it('is slow to commit: refuses in time, and tells that the answer was withheld', async () => {
      await start({ timeoutMs: 1500 });
      const { knex } = test.database;
      await knex.raw(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF NEW.code = 'slow' THEN PERFORM pg_sleep(1.2); END IF; RETURN NULL; END $$`);
      await knex.raw(`CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON records
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()`);
      const slow = aRecord({ code: 'slow' });
      // Its turn comes after 800 ms, its commit takes 1,200 more: the caller's time is up in between.
      const turn = await knex.transaction();
      await turn.raw(
        `SELECT pg_advisory_xact_lock((1279742288::bigint << 32) | 'records'::regclass::oid::bigint)`,
      );
      const written = recorder.write(slow).then(
        () => 'written',
        (fault: unknown) => unavailable(fault),
      );
      await new Promise((resolve) => setTimeout(resolve, 800));
      await turn.rollback();
      assert.equal(await written, true);
      const act = await withheld(slow.id);
      assert.equal(act.operation, 'withhold-answer');
      assert.equal(await stored(slow.id), 1);
      assert.equal((await verify(test.database)).ok, true);
    });

    it('keeps a turn for too long: refuses what waited, and never writes it', async () => {
      await start({ timeoutMs: 400 });
      const turn = await test.database.knex.transaction();
      await turn.raw(
        `SELECT pg_advisory_xact_lock((1279742288::bigint << 32) | 'records'::regclass::oid::bigint)`,
      );
      const refused = aRecord();
      await assert.rejects(recorder.write(refused), unavailable);
      await turn.rollback();
      assert.equal((await eventually(() => recorder.write(aRecord()).catch(() => undefined))).index, 0);
      assert.equal(await stored(refused.id), 0);
    });
  });
}
