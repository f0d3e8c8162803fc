import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { latestCheckpoint } from '../../gateway/audit/search.js';
import { publishedKeys } from '../../gateway/audit/published-keys.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { type LogWitness, startLogWitness } from '../kit/log-witness.js';
import { addAgency, addSystem } from '../kit/province.js';
import { startTimeStampAuthority, type TimeStampAuthority } from '../kit/time-stamp-authority.js';

interface Shown {
  readonly name: string;
  readonly size: number;
  readonly error: string | null;
}

function flipped(reply: Buffer): Buffer {
  const spoilt = Buffer.from(reply);
  const at = spoilt.length - 20;
  spoilt[at] = (spoilt[at] as number) ^ 1;
  return spoilt;
}

/** The first answer, again and again. */
function stale(): (reply: Buffer) => Buffer {
  let kept: Buffer | undefined;
  return (reply) => (kept ??= reply);
}

for (const engine of engines) {
  describe(`witnesses of the log, on ${engine.name}`, function () {
    this.timeout(120_000);
    let test: TestDatabase;
    let gateway: TestGateway;
    let authority: TimeStampAuthority;
    let witness: LogWitness;
    let keys: readonly string[] = [];
    let folder: string;

    const settings = () => ({
      witnesses: {
        everySeconds: 1,
        alarmAfterSeconds: 1,
        to: [
          { kind: 'folder', name: 'thu-muc', path: folder },
          { kind: 'http', name: 'nhan-chung', url: witness.url, verifierKey: witness.verifierKey },
          { kind: 'tsa', name: 'dau-thoi-gian', url: authority.url, caFile: authority.caFile },
        ],
      },
    });

    before(async () => {
      test = await engine.create();
      authority = await startTimeStampAuthority();
      witness = await startLogWitness(() => keys);
      folder = join(test.dataDir, 'chung-kien');
      mkdirSync(folder);
      await addAgency(test.database, 'H35');
      await addAgency(test.database, 'H35.11');
      await addSystem(test.database, 'thanh-tra', 'H35', { roles: ['auditor'] });
      await addSystem(test.database, 'khai-thac', 'H35.11');
      gateway = await startTestGateway(test, settings());
      keys = [...((await publishedKeys(test.database))?.keys ?? [])];
    });
    after(async () => {
      await gateway.close();
      await Promise.all([authority.close(), witness.close()]);
      await test.drop();
    });

    const shown = async (name: string): Promise<Shown> => {
      const answer = await gateway.call('thanh-tra', '/api/audit/witnesses');
      const { items } = (await answer.json()) as { items: Shown[] };
      return items.find((one) => one.name === name) ?? assert.fail(`no witness ${name}`);
    };
    /** Until a witness took a head that covers what is in the log now. */
    const caughtUp = async (name: string): Promise<Shown> => {
      const { size } = (await latestCheckpoint(test.database)) ?? { size: 1 };
      return await eventually(async () => {
        const one = await shown(name);
        return one.size >= size && one.error === null ? one : undefined;
      }, `${name} takes ${size}`);
    };
    const failing = (name: string, error: RegExp) =>
      eventually(
        async () => {
          const one = await shown(name);
          return one.error !== null && error.test(one.error) ? one : undefined;
        },
        `${name} fails with ${String(error)}`,
      );
    const evidence = (name: string, size: number) =>
      gateway.call('thanh-tra', `/api/audit/witnesses/${name}/evidence?size=${size}`);
    const told = async (kind: string): Promise<string[]> => {
      const rows = await test.database.knex('notices').where({ kind, key: 'nhan-chung' }).select('dedupe');
      return (rows as { dedupe: string }[]).map(({ dedupe }) => dedupe);
    };
    const word = (kind: string) =>
      eventually(async () => ((await told(kind)).length > 0 ? true : undefined), kind);

    it('a folder holds the newest head, and each one that was shown', async () => {
      const { size } = await caughtUp('thu-muc');
      const file = readFileSync(join(folder, `checkpoint-${String(size).padStart(12, '0')}`), 'utf8');
      assert.equal(file.split('\n')[1], String(size));
      assert.equal(await (await evidence('thu-muc', size)).text(), file);
    });

    it('a tlog-witness gets a proof that the log continues what it saw, and its cosignature is kept', async () => {
      await caughtUp('nhan-chung');
      const { size } = await caughtUp('nhan-chung');
      assert.equal(witness.asked[0]?.old, 0);
      assert.ok(witness.asked.some(({ old }) => old > 0));
      const text = await (await evidence('nhan-chung', size)).text();
      assert.match(text, /\n\n— \S+ \S+\n— witness\.test\/w1 \S+\n$/);
    });

    it('a time-stamp authority’s token holds for openssl too, over that very note', async () => {
      const { size } = await caughtUp('dau-thoi-gian');
      const answer = await evidence('dau-thoi-gian', size);
      assert.equal(answer.headers.get('content-type'), 'application/timestamp-reply');
      const token = Buffer.from(await answer.arrayBuffer());
      const { note } = await test.database.knex('log_checkpoints').where({ tree_size: size }).first('note');
      assert.equal(await authority.accepts(token, Buffer.from(note as string)), true);
      assert.equal(await authority.accepts(token, Buffer.from('another note')), false);
    });

    for (const [what, status, error] of [
      ['does not know the log', 404, /does not know this log/],
      ['does not know the key', 403, /does not know the key/],
      ['rejects the proof', 422, /another history/],
      ['is broken', 500, /HTTP 500/],
    ] as const) {
      it(`a witness that ${what} is shown as failing, and the exchange goes on`, async () => {
        witness.status = status;
        await failing('nhan-chung', error);
        assert.equal((await gateway.call('khai-thac', '/api/me')).status, 200);
        witness.status = null;
      });
    }

    it('an outage is told to operators and auditors once, and so is its end', async () => {
      witness.status = 500;
      await word('witness_down');
      witness.status = null;
      await caughtUp('nhan-chung');
      await word('witness_back');
      const down = await told('witness_down');
      assert.equal(new Set(down).size, down.length);
      assert.equal(down.filter((one) => one.endsWith(':auditor')).length, down.length / 2);
    });

    it('a witness that was shown other heads meanwhile is asked again from where it stands', async () => {
      await test.database.knex('witnesses').where({ name: 'nhan-chung' }).update({ size: 1 });
      const { size } = await caughtUp('nhan-chung');
      assert.ok(witness.seen.size >= size);
    });

    it('a witness that has seen a longer log says that this one was cut off', async () => {
      const { seen } = witness;
      witness.seen = { size: 1_000_000, root: Buffer.alloc(32) };
      await failing('nhan-chung', /has seen 1000000 records.*cut off/);
      witness.seen = seen;
      await caughtUp('nhan-chung');
    });

    for (const [what, spoil, error] of [
      ['another request’s answer', stale(), /another request|other data/],
      ['an answer changed in one bit', flipped, /./],
      ['no time stamp', () => Buffer.from('xin chào'), /./],
      ['HTTP 503', () => 503, /HTTP 503/],
    ] as const) {
      it(`an authority that sends ${what} counts as failing`, async () => {
        authority.answer = spoil;
        await failing('dau-thoi-gian', error);
        authority.answer = (reply) => reply;
        await caughtUp('dau-thoi-gian');
      });
    }

    it('a folder that is gone fails until it is back', async () => {
      rmSync(folder, { recursive: true });
      await failing('thu-muc', /ENOENT/);
      mkdirSync(folder);
      await caughtUp('thu-muc');
    });

    it('who neither runs nor audits the log does not see its witnesses', async () => {
      const answer = await gateway.call('khai-thac', '/api/audit/witnesses');
      assert.equal(((await answer.json()) as { code: string }).code, 'role_required');
      assert.equal((await evidence('nhan-chung', 999_999)).status, 404);
      assert.equal((await evidence('khong-co', 1)).status, 404);
    });
  });

  describe(`witnesses that cannot serve, on ${engine.name}`, () => {
    for (const [what, to] of [
      ['a vkey that is none', { kind: 'http', name: 'a', url: 'http://127.0.0.1:1', verifierKey: 'x' }],
      ['roots that are none', { kind: 'tsa', name: 'a', url: 'http://127.0.0.1:1', caFile: 'package.json' }],
    ] as const) {
      it(`${what}: the gateway does not start`, async () => {
        const test = await engine.create();
        try {
          await assert.rejects(startTestGateway(test, { witnesses: { to: [to] } }), /witnesses\.to\.0/);
        } finally {
          await test.drop();
        }
      });
    }
  });
}
