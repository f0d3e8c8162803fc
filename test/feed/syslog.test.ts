import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Recorder } from '../../gateway/audit/record.js';
import type { Feed } from '../../gateway/feed/feed.js';
import { startLog } from '../audit/log.js';
import { makeIdentity } from '../kit/certificates.js';
import { startChildGateway } from '../kit/child-gateway.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { eventually, testSettings } from '../kit/gateway.js';
import { freePort } from '../kit/ports.js';
import { addAgency } from '../kit/province.js';
import { SyslogReceiver } from '../kit/syslog-receiver.js';
import { complete, feedOf, write } from './node.js';

const sinkAt = (port: number, more: object = {}) => ({
  ...{ kind: 'syslog', name: 'soc', host: '127.0.0.1', port, settleMs: 50, resendBytes: 100_000 },
  ...more,
});

for (const engine of engines) {
  describe(`the feed to syslog, ${engine.name}`, () => {
    let test: TestDatabase;
    let log: Recorder;
    let receiver: SyslogReceiver;
    const feeds: Feed[] = [];
    const feed = (...parts: Parameters<typeof feedOf>): Feed => {
      const made = feedOf(...parts);
      feeds.push(made);
      return made;
    };
    const cursor = async (): Promise<number> =>
      ((await test.database.knex('feed_cursors').first()) as { seq: number } | undefined)?.seq ?? -1;

    beforeEach(async () => {
      test = await engine.create();
      await addAgency(test.database, 'H35');
      log = await startLog(test.database);
      receiver = await SyslogReceiver.start();
    });

    afterEach(async () => {
      await Promise.all(feeds.splice(0).map((one) => one.close()));
      await receiver.kill();
      await log.close();
      await test.drop();
      assert.deepEqual(receiver.faults, []);
    });

    it('sends every record, in order, and moves its cursor', async () => {
      await write(log, 100);
      feed(test.database, [sinkAt(receiver.port)]);
      await write(log, 50);
      await eventually(() => complete(receiver.indexes(), 150), 'all came');
      assert.deepEqual(
        receiver.indexes(),
        Array.from({ length: 150 }, (_, i) => i),
      );
      await eventually(async () => ((await cursor()) === 149 ? true : undefined), 'the cursor moved');
    });

    it('goes on after an orderly stop without sending anything twice', async () => {
      await write(log, 30);
      const first = feed(test.database, [sinkAt(receiver.port)]);
      await eventually(() => complete(receiver.indexes(), 30), 'all came');
      await first.close();
      await write(log, 10);
      feed(test.database, [sinkAt(receiver.port)]);
      await eventually(() => complete(receiver.indexes(), 40), 'the others came');
      assert.equal(receiver.messages.length, 40);
    });

    it('begins with what comes next where it is told so', async () => {
      await write(log, 30);
      feed(test.database, [sinkAt(receiver.port, { from: 'now' })]);
      await eventually(async () => ((await cursor()) === 29 ? true : undefined), 'it has begun');
      await write(log, 5);
      await eventually(() => (receiver.messages.length >= 5 ? true : undefined), 'the others came');
      assert.deepEqual(receiver.indexes(), [30, 31, 32, 33, 34]);
    });

    it('loses nothing when the receiver is killed and comes back', async () => {
      feed(test.database, [sinkAt(receiver.port)]);
      for (let round = 0; round < 4; round += 1) {
        await write(log, 100);
        await eventually(() => (receiver.messages.length > round * 100 + 10 ? true : undefined), 'some came');
        await receiver.kill();
        await write(log, 20);
        await receiver.listen();
      }
      await eventually(() => complete(receiver.indexes(), 480), 'all came');
    });

    it('loses nothing to a receiver that hangs and dies, and nobody waits for it', async () => {
      await write(log, 10);
      feed(test.database, [sinkAt(receiver.port, { resendBytes: 20_000_000 })]);
      await eventually(() => complete(receiver.indexes(), 10), 'the first came');
      receiver.hanging = true;
      const begun = performance.now();
      for (let i = 0; i < 20; i += 1) await write(log, 100, { case: 'x'.repeat(2000) });
      assert.ok(performance.now() - begun < 20_000, 'records are written meanwhile');
      // What the kernel holds counts as sent by now.
      await pause(300);
      await receiver.kill();
      receiver.hanging = false;
      await receiver.listen();
      await eventually(() => complete(receiver.indexes(), 2010), 'all came');
    }).timeout(60_000);

    it('tells the operators once of an outage, and once of its end, and shows the lag', async () => {
      const lagging = feed(test.database, [sinkAt(receiver.port)], { alarmSeconds: 1 });
      await write(log, 5);
      await eventually(() => complete(receiver.indexes(), 5), 'all came');
      await receiver.kill();
      await write(log, 7);
      const notices = async (kind: string) => await test.database.knex('notices').where({ kind });
      await eventually(
        async () => ((await notices('feed_behind')).length > 0 ? true : undefined),
        'they are told',
      );
      assert.ok((lagging.lags.get('soc')?.records ?? 0) >= 7);
      assert.ok((lagging.lags.get('soc')?.seconds ?? 0) >= 1);
      await pause(600);
      await receiver.listen();
      await eventually(
        async () => ((await notices('feed_recovered')).length > 0 ? true : undefined),
        'it is over',
      );
      assert.equal((await notices('feed_behind')).length, 1);
      assert.equal(lagging.lags.get('soc')?.records, 0);
    });

    it('goes nowhere that the allow-list does not name', async () => {
      await write(log, 5);
      feed(test.database, [sinkAt(receiver.port)], { addresses: ['10.0.0.0/8'] });
      await eventually(async () => {
        const row = (await test.database.knex('feed_cursors').first()) as
          | { last_error: string | null }
          | undefined;
        return row?.last_error === 'EGRESS_DENIED' ? true : undefined;
      }, 'it is refused');
      assert.equal(receiver.connections, 0);
    });

    it('is fed by one node at a time, and by the other when that one is gone', async function () {
      if (engine.name !== 'PostgreSQL') this.skip();
      const first = feed(test.database, [sinkAt(receiver.port)]);
      feed(test.again(), [sinkAt(receiver.port)]);
      await write(log, 200);
      await eventually(() => complete(receiver.indexes(), 200), 'all came');
      assert.equal(receiver.connections, 1);
      assert.equal(receiver.messages.length, 200);
      await first.close();
      await write(log, 50);
      await eventually(() => complete(receiver.indexes(), 250), 'the rest came');
    });

    describe('over TLS', () => {
      const authority = makeIdentity('Co quan cap', { authority: true });
      const server = makeIdentity('may chu', { issuer: authority });
      const client = makeIdentity('cong', { issuer: authority });
      let folder: string;
      const at = (name: string): string => join(folder, name);

      before(() => {
        folder = mkdtempSync(join(tmpdir(), 'lgsp-feed-'));
        writeFileSync(at('ca.pem'), authority.cert);
        writeFileSync(at('other.pem'), makeIdentity('Khac', { authority: true }).cert);
        writeFileSync(at('client.pem'), client.cert);
        writeFileSync(at('client.key'), client.key);
      });
      after(() => rmSync(folder, { recursive: true, force: true }));

      const sinkTo = (tls: object, host = 'localhost') => sinkAt(receiver.port, { host, tls });
      const begin = async (more: object = {}): Promise<void> => {
        await receiver.close();
        receiver = await SyslogReceiver.start({ cert: server.cert, key: server.key, ...more });
        await write(log, 20);
      };
      const mutual = { ca: authority.cert, requestCert: true, rejectUnauthorized: true };
      const settings = { addresses: ['127.0.0.0/8', 'localhost'] };

      it('sends to whom the authority vouches for', async () => {
        await begin();
        feed(test.database, [sinkTo({ caFile: at('ca.pem') })], settings);
        await eventually(() => complete(receiver.indexes(), 20), 'all came');
      });

      it('shows its certificate to a receiver that asks for one', async () => {
        await begin(mutual);
        const tls = { caFile: at('ca.pem'), certFile: at('client.pem'), keyFile: at('client.key') };
        feed(test.database, [sinkTo(tls)], settings);
        await eventually(() => complete(receiver.indexes(), 20), 'all came');
      });

      const wrong: readonly (readonly [what: string, tls: () => object, more?: object])[] = [
        ['another authority', () => ({ caFile: at('other.pem') })],
        ['another name', () => ({ caFile: at('ca.pem'), serverName: 'soc.example.vn' })],
        ['no certificate of ours where one is asked for', () => ({ caFile: at('ca.pem') }), mutual],
        ['a file that is not there', () => ({ caFile: at('nothing.pem') })],
      ];
      for (const [what, tls, more] of wrong)
        it(`sends nothing with ${what}, and everything once that is mended`, async () => {
          await begin(more);
          const broken = feed(test.database, [sinkTo(tls())], settings);
          await eventually(async () => {
            const row = (await test.database.knex('feed_cursors').first()) as
              | { last_error: string | null }
              | undefined;
            return row?.last_error === null || row === undefined ? undefined : true;
          }, 'it failed');
          await broken.close();
          assert.equal(receiver.messages.length, 0);
          assert.equal(await cursor(), -1);
          const right = { caFile: at('ca.pem'), certFile: at('client.pem'), keyFile: at('client.key') };
          feed(test.database, [sinkTo(right)], settings);
          await eventually(() => complete(receiver.indexes(), 20), 'all came');
        });
    });
  });
}

for (const engine of engines) {
  describe(`a gateway that is killed while it feeds, ${engine.name}`, () => {
    it('loses no record', async function () {
      this.timeout(120_000);
      const test = await engine.create();
      const receiver = await SyslogReceiver.start();
      const settings = {
        ...testSettings(test, await freePort()),
        record: { refusals: { perAddress: 100_000, inAll: 100_000 } },
        limits: { address: { calls: 100_000, seconds: 60 } },
        feed: { retryMs: 30, batch: 10, sendTimeoutMs: 300, sinks: [sinkAt(receiver.port)] },
      };
      // A lease ends by the clock: a later node finds it over.
      for (let round = 0; round < 3; round += 1) {
        const node = await startChildGateway(settings, { aheadMs: round * 60_000 });
        const calls = Array.from({ length: 100 }, () =>
          fetch(`${node.url}/data/none`).catch(() => undefined),
        );
        await Promise.all(calls.slice(0, 60));
        const kill = node.kill();
        await Promise.all([...calls, kill]);
      }
      const last = await startChildGateway(settings, { aheadMs: 300_000 });
      try {
        await eventually(async () => {
          const row = (await test.database.knex('records').max({ seq: 'seq' }).first()) as { seq: number };
          return row.seq >= 179 ? complete(receiver.indexes(), row.seq + 1) : undefined;
        }, 'all came');
      } finally {
        await last.kill();
        await receiver.kill();
        await test.drop();
      }
      assert.deepEqual(receiver.faults, []);
    });
  });
}
