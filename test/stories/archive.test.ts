import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { PublishedKeys } from '../../gateway/audit/published-keys.js';
import { startRecorder } from '../../gateway/audit/recorder.js';
import { systemClock } from '../../gateway/base/clock.js';
import { uuidv7 } from '../../gateway/base/ids.js';
import { createLog } from '../../gateway/base/log.js';
import { runCommand } from '../../gateway/cli/program.js';
import { findInstallationValue } from '../../gateway/store/installation.js';
import { aRecord } from '../audit/records.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addSystem } from '../kit/province.js';

const COUNT = 1400;
/** Whole tiles. */
const SEALED = 1280;
/** Longer ago than any period of these tests. */
const OLD = Date.UTC(2023, 0, 5);
const OFTEN = 1 / 3600;

async function fill({ gateway }: TestGateway, count: number): Promise<string[]> {
  const { database, keyRing } = gateway;
  const { kid, privateKey } = keyRing.logSigner();
  const recorder = await startRecorder({
    ...{ engine: database.engine, location: database.location, logKey: { kid, privateKey }, queue: 20_000 },
    origin: (await findInstallationValue(database.knex, 'log-origin')) ?? '',
    ...{ timeoutMs: 60_000, log: createLog('silent'), clock: systemClock },
  });
  const ids = Array.from({ length: count }, (_, i) => uuidv7(OLD + i * 1000));
  for (const [i, id] of ids.entries())
    void recorder.write(aRecord({ id, received: new Date(OLD + i * 1000).toISOString(), agency: 'H35.11' }));
  await recorder.close();
  return ids;
}

for (const engine of engines) {
  describe(`records whose time in the database is over, on ${engine.name}`, function () {
    this.timeout(120_000);
    let test: TestDatabase;
    let gateway: TestGateway;
    let folder: string;
    let ids: string[];
    let keys: PublishedKeys;
    let receipt: string;
    let running = true;

    before(async () => {
      test = await engine.create();
      folder = mkdtempSync(join(tmpdir(), 'lgsp-archive-'));
      await addAgency(test.database, 'H35');
      await addAgency(test.database, 'H35.11');
      await addAgency(test.database, 'H35.12');
      await addSystem(test.database, 'thanh-tra', 'H35', { roles: ['auditor'] });
      await addSystem(test.database, 'khai-thac', 'H35.11', { roles: ['consumer'] });
      await addSystem(test.database, 'nguoi-khac', 'H35.12', { roles: ['consumer'] });
      // Off while the old records are made, as if they had been made then.
      gateway = await startTestGateway(test, { retention: { folder: '' } });
      ids = await fill(gateway, COUNT);
      receipt = await (
        await gateway.call('thanh-tra', `/api/audit/records/${ids[700] ?? ''}/receipt`)
      ).text();
      keys = (await (await gateway.call('thanh-tra', '/api/audit/log/keys')).json()) as PublishedKeys;
      await gateway.close();
      gateway = await startTestGateway(test, { retention: { folder, everyHours: OFTEN } });
      await eventually(async () => {
        const first = await test.database.knex('records').min({ seq: 'seq' }).first();
        return Number(first?.['seq']) >= SEALED ? true : undefined;
      }, 'the rows left');
    });
    after(async () => {
      if (running) await gateway.close();
      await test.drop();
      rmSync(folder, { recursive: true, force: true });
    });

    const get = async (who: string, path: string) => {
      const answer = await gateway.call(who, path);
      return { status: answer.status, body: (await answer.json()) as any };
    };
    const run = async (...args: string[]) => {
      const said = { out: '', err: '' };
      const code = await runCommand(args, {
        env: {},
        out: (text) => void (said.out += `${text}\n`),
        err: (text) => void (said.err += `${text}\n`),
      });
      return { code, ...said };
    };
    const descriptor = (): string =>
      join(folder, readdirSync(folder).find((name) => name.endsWith('.json')) ?? '');

    it('are listed, with what their period rests on', async () => {
      const { status, body } = await get('thanh-tra', '/api/audit/archive');
      assert.equal(status, 200);
      const retention = (await get('thanh-tra', '/api/audit/retention')).body;
      assert.equal(retention.active, true);
      assert.deepEqual(retention.periods[0], {
        class: 'calls',
        months: 24,
        fileMonths: 0,
        legalBasis: '491-qd-ubnd',
      });
      assert.deepEqual([body.items[0].from, body.items.at(-1).to], [0, SEALED]);
      assert.ok(body.items[0].files.every((file: any) => file.leftAt !== null && file.destroyedAt === null));
      assert.equal((await gateway.call('khai-thac', '/api/audit/archive')).status, 403);
    });

    it('are found by their id, by whom they concern, with the same receipt as ever', async () => {
      const id = ids[700] ?? '';
      const { status, body } = await get('thanh-tra', `/api/audit/records/${id}`);
      assert.deepEqual([status, body.id, body.agency], [200, id, 'H35.11']);
      assert.equal((await get('khai-thac', `/api/audit/records/${id}`)).status, 200);
      assert.equal((await get('nguoi-khac', `/api/audit/records/${id}`)).status, 404);
      const again = await gateway.call('thanh-tra', `/api/audit/records/${id}/receipt`);
      assert.equal(await again.text(), receipt);
    });

    it('are served as entries of the log', async () => {
      const answer = await gateway.call('thanh-tra', '/api/audit/log/tile/entries/001');
      assert.equal(answer.status, 200);
      const bytes = Buffer.from(await answer.arrayBuffer());
      let count = 0;
      for (let at = 0; at < bytes.length; count += 1) at += 2 + bytes.readUInt16BE(at);
      assert.equal(count, 256);
    });

    it('are missed by no search unsaid', async () => {
      const until = async (query: string): Promise<string | null> =>
        (await gateway.call('thanh-tra', `/api/audit/records?${query}`)).headers.get('lgsp-archived-until');
      const archived = await until('agency=H35.11');
      assert.ok(Date.parse(archived ?? '') > OLD);
      assert.equal(await until('from=2026-01-01T00:00:00Z'), null);
      const summary = await get('thanh-tra', '/api/audit/records/summary?agency=H35.11');
      assert.equal(summary.body.archivedUntil, archived);
    });

    it('are verified from the command line, beside the database and with their files alone', async () => {
      const config = join(folder, 'settings.json');
      const { database, dataDir } = test;
      writeFileSync(
        config,
        JSON.stringify({
          ...(database.engine === 'postgres' ? { databaseUrl: database.location } : { dataDir }),
          retention: { folder },
        }),
      );
      const whole = await run('audit', 'verify', '--config', config);
      assert.equal(whole.code, 0, whole.err);
      const list = await run('audit', 'archive', 'list', '--config', config);
      assert.match(list.out, /0–1279 .*log-000000000000-000000001280\.json .*calls \d+ file/);
      await gateway.close();
      running = false;
      const key = keys.keys[0] ?? '';
      const alone = await run('audit', 'archive', 'verify', descriptor(), '--key', key);
      assert.equal(alone.code, 0, alone.err);
      assert.match(alone.out, /calls\.jsonl\.gz: \d+, từng bản ghi đúng/);
      const json = await run('audit', 'archive', 'verify', descriptor(), '--key', key, '--json');
      assert.equal(JSON.parse(json.out)[0].ok, true);
      const read = await run('audit', 'archive', 'read', descriptor(), '--key', key, '--class', 'calls');
      const lines = read.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.ok(lines.some(({ record }) => record.id === ids[700]));
      assert.ok(lines.every(({ record }) => record.plane === 'data'));
      const none = await run('audit', 'archive', 'verify', descriptor());
      assert.deepEqual([none.code, none.err.includes('--key is needed')], [2, true]);
      const nothing = await run('audit', 'archive', 'verify', join(folder, 'x.json'), '--key', key);
      assert.deepEqual([nothing.code, /no descriptor/.test(nothing.err)], [1, true]);
      const strange = await run(
        'audit',
        'archive',
        'verify',
        descriptor(),
        '--key',
        key,
        '--identity',
        config,
      );
      assert.deepEqual([strange.code, /no file of age identities/.test(strange.err)], [2, true]);
    });
  });

  describe(`records that are sealed to a public key, on ${engine.name}`, function () {
    this.timeout(120_000);

    it('are opened with the private key alone; the gateway says where they are', async () => {
      const test = await engine.create();
      const folder = mkdtempSync(join(tmpdir(), 'lgsp-archive-'));
      await addAgency(test.database, 'H35');
      await addSystem(test.database, 'thanh-tra', 'H35', { roles: ['auditor'] });
      const identity = await generateX25519Identity();
      let gateway = await startTestGateway(test, { retention: { folder: '' } });
      const [id = ''] = await fill(gateway, 600);
      await gateway.close();
      const encryptTo = [await identityToRecipient(identity)];
      gateway = await startTestGateway(test, { retention: { folder, everyHours: OFTEN, encryptTo } });
      try {
        const refused = await eventually(async () => {
          const answer = await gateway.call('thanh-tra', `/api/audit/records/${id}`);
          return answer.status === 404 ? ((await answer.json()) as any) : undefined;
        }, 'it left');
        assert.equal(refused.code, 'object_not_found');
        assert.equal(refused.rule.state, 'sealed');
        assert.match(refused.rule.file, /\.calls\.jsonl\.gz\.age$/);
        const [key = ''] = (
          (await (await gateway.call('thanh-tra', '/api/audit/log/keys')).json()) as PublishedKeys
        ).keys;
        const keyFile = join(folder, 'identity.txt');
        writeFileSync(keyFile, `# lgsp\n${identity}\n`);
        const said: string[] = [];
        const code = await runCommand(
          [
            ...[
              'audit',
              'archive',
              'read',
              join(folder, readdirSync(folder).find((one) => one.endsWith('.json')) ?? ''),
            ],
            ...['--key', key, '--identity', keyFile],
          ],
          { env: {}, out: (text) => void said.push(text), err: (text) => void said.push(text) },
        );
        assert.equal(code, 0, said.join('\n'));
        assert.ok(said.some((line) => line.includes(id)));
      } finally {
        await gateway.close();
        await test.drop();
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });
}

describe('an archive whose disk is full', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'lgsp-full-'));
  let mounted = false;
  before(function () {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', folder], { stdio: 'ignore' });
      mounted = true;
    } catch {
      this.skip();
    }
  });
  after(() => {
    if (mounted) execFileSync('umount', [folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('keeps every record in the database, tells who runs the log, and goes on when there is room', async () => {
    const test = await engines[0]!.create();
    await addAgency(test.database, 'H35');
    let gateway = await startTestGateway(test, { retention: { folder: '' } });
    await fill(gateway, 1400);
    await gateway.close();
    gateway = await startTestGateway(test, { retention: { folder, everyHours: OFTEN } });
    const { knex } = test.database;
    try {
      const notice = await eventually<any>(
        () => knex('notices').where({ kind: 'archive_failed' }).first(),
        'somebody is told',
      );
      assert.match(notice.text_en, /ENOSPC/);
      assert.match(notice.text_vi, /không mất dữ liệu/);
      const metrics = await (await fetch(`${gateway.gateway.url}/metrics`)).text();
      assert.match(metrics, /^lgsp_archive_failing 1$/m);
      assert.equal((await knex('records').orderBy('seq').first('seq')).seq, 0);
      assert.deepEqual(
        readdirSync(folder).filter((name) => name.startsWith('log-')),
        [],
      );
      execFileSync('mount', ['-o', 'remount,size=16m', folder]);
      await eventually(async () => {
        const { seq } = await knex('records').orderBy('seq').first('seq');
        return Number(seq) >= SEALED ? true : undefined;
      }, 'it is sealed');
    } finally {
      await gateway.close();
      await test.drop();
    }
  });
});
