import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import exceljs from 'exceljs';
import { createLog } from '../../gateway/base/log.js';
import { systemClock } from '../../gateway/base/clock.js';
import { uuidv7 } from '../../gateway/base/ids.js';
import type { AuditRecord } from '../../gateway/audit/record.js';
import { startRecorder } from '../../gateway/audit/recorder.js';
import { runCommand } from '../../gateway/cli/program.js';
import { findInstallationValue } from '../../gateway/store/installation.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { soundLog } from '../kit/log.js';
import { addAgency, addSystem, secretOf } from '../kit/province.js';
import { aRecord, T0 } from '../audit/records.js';

const COUNT = 12_000;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64url');

async function fill({ gateway }: TestGateway): Promise<void> {
  const { database, keyRing } = gateway;
  const { kid, privateKey } = keyRing.logSigner();
  const recorder = await startRecorder({
    engine: database.engine,
    location: database.location,
    origin: (await findInstallationValue(database.knex, 'log-origin')) ?? '',
    logKey: { kid, privateKey },
    queue: 20_000,
    timeoutMs: 60_000,
    log: createLog('silent'),
    clock: systemClock,
  });
  const written = Array.from({ length: COUNT }, (_, i) =>
    recorder.write(
      aRecord({
        id: uuidv7(T0 + i),
        received: new Date(T0 + i * 60_000).toISOString(),
        agency: i % 100 === 0 ? 'H35.61' : 'H35.62',
        user: i === 7 ? '=HYPERLINK("http://x","y")' : 'cb, "01"',
        case: `HS-${i}`,
        grant: 'pd-2026-0001',
      }),
    ),
  );
  await Promise.all(written);
  await recorder.close();
}

for (const engine of engines) {
  describe(`reading the record through a gateway on ${engine.name}`, function () {
    this.timeout(120_000);
    let test: TestDatabase;
    let gateway: TestGateway;
    const read = async (client: string, path: string): Promise<Response> =>
      gateway.call(client, `/api/audit${path}`);
    const bytes = async (client: string, path: string): Promise<Buffer> =>
      Buffer.from(await (await read(client, path)).arrayBuffer());
    /** The two records of the newest export. */
    const recorded = async (ending: (record: AuditRecord) => boolean): Promise<[AuditRecord, AuditRecord]> =>
      await eventually(async () => {
        const records = (await allRecords(gateway.gateway.database)).filter(
          ({ operation }) => operation === 'exportRecords',
        );
        const closing = records.filter(({ kind }) => kind === 'closing').at(-1);
        const opening = records.find(({ id }) => id === closing?.opening);
        return closing !== undefined && opening !== undefined && ending(closing)
          ? [opening, closing]
          : undefined;
      }, 'both records of an export');

    before(async () => {
      test = await engine.create();
      await addAgency(test.database, 'H35.1');
      await addAgency(test.database, 'H35.61');
      await addSystem(test.database, 'kiem-tra', 'H35.1', { roles: ['auditor'] });
      await addSystem(test.database, 'van-hanh', 'H35.1', { roles: ['operator'] });
      await addSystem(test.database, 'khai-thac', 'H35.61', { roles: ['consumer'] });
      gateway = await startTestGateway(test, { record: { exportRows: COUNT } });
      await fill(gateway);
    });
    after(async () => {
      await gateway.close();
      await test.drop();
    });

    const SPAN = `from=${new Date(T0).toISOString()}&to=${new Date(T0 + COUNT * 60_000).toISOString()}`;

    it('exports CSV that a spreadsheet takes for text, and records it twice', async () => {
      const answer = await read('kiem-tra', `/records/export?format=csv&${SPAN}`);
      const body = Buffer.from(await answer.arrayBuffer());
      assert.equal(answer.status, 200);
      assert.match(
        answer.headers.get('content-disposition') ?? '',
        /^attachment; filename="nhat-ky-.*\.csv"$/,
      );
      const lines = body.toString('utf8').split('\r\n');
      assert.ok(lines[0]?.startsWith('\ufeffThứ tự trong nhật ký,Thời điểm nhận (giờ Việt Nam)'));
      assert.equal(lines.length, COUNT + 2, 'a header, the records, and the end of the last line');
      const oldest = lines.at(-2) ?? '';
      assert.match(oldest, /,05\/01\/2026 08:02:03,2026-01-05T01:02:03\.000Z,/);
      assert.match(oldest, /,"cb, ""01""",HS-0,/);
      assert.match(lines.at(-9) ?? '', /,"'=HYPERLINK\(""http:\/\/x"",""y""\)",HS-7,/);
      const [opening, closing] = await recorded(({ bytesOut }) => bytesOut === body.length);
      assert.equal(closing.id, answer.headers.get('lgsp-record'));
      assert.deepEqual([closing.outcome, closing.status], ['answered', 200]);
      assert.equal(closing.responseSha256, sha256(body));
      const after = closing.target?.after as Record<string, unknown>;
      assert.deepEqual([after['format'], after['count']], ['csv', COUNT]);
      assert.equal(opening.kind, 'opening');
      assert.equal(opening.target?.noun, 'record_search');
    });

    it('exports the records of a consumer, as JSON lines', async () => {
      const text = (await bytes('khai-thac', `/records/export?format=jsonl&${SPAN}`)).toString('utf8');
      const records = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as AuditRecord);
      assert.equal(records.length, COUNT / 100);
      assert.deepEqual(new Set(records.map(({ agency }) => agency)), new Set(['H35.61']));
    });

    it('exports a workbook that says what it is an excerpt of', async () => {
      const book = new exceljs.Workbook();
      await book.xlsx.load(
        (await bytes('kiem-tra', `/records/export?format=xlsx&agency=H35.61&${SPAN}`)) as never,
      );
      const [records, about] = book.worksheets;
      assert.equal(records?.rowCount, COUNT / 100 + 1);
      const facts = Object.fromEntries(
        (about?.getSheetValues() ?? []).flatMap((row) => (Array.isArray(row) ? [[row[1], row[2]]] : [])),
      );
      assert.equal(facts['Số bản ghi'], COUNT / 100);
      assert.equal(facts['Người trích xuất'], 'kiem-tra');
      assert.equal(facts['Điều kiện: agency'], 'H35.61');
      assert.match(String(facts['Điểm kiểm tra']), /\/log\n\d+\n/);
    });

    it('hides from an operator whom a call was made for', async () => {
      const text = (await bytes('van-hanh', `/records/export?format=jsonl&agency=H35.61&${SPAN}`)).toString(
        'utf8',
      );
      assert.doesNotMatch(text, /"user"|"case"/);
      const page = (await (await read('van-hanh', '/records?agency=H35.61&limit=5')).json()) as {
        items: object[];
      };
      assert.ok(
        page.items.length === 5 && page.items.every((item) => !('user' in item) && !('case' in item)),
      );
      assert.equal((await read('van-hanh', '/records?case=HS-1')).status, 403);
      assert.equal((await read('van-hanh', '/records/summary?user=cb')).status, 403);
    });

    it('notes a download that was broken off', async () => {
      const token = await gateway.token('kiem-tra', 'api');
      const { pathname, search } = new URL(`${gateway.url}/api/audit/records/export?format=jsonl&${SPAN}`);
      await new Promise<void>((resolve, reject) => {
        const { port } = new URL(gateway.url);
        const call = request({
          port,
          path: pathname + search,
          headers: { authorization: `Bearer ${token}` },
        });
        call.on('response', (answer) => {
          answer.destroy();
          resolve();
        });
        call.on('error', reject).end();
      });
      const [, closing] = await recorded(({ outcome }) => outcome === 'aborted');
      assert.equal(closing.status, 200);
      assert.ok((closing.bytesOut ?? 0) > 0);
    });

    it('refuses an export of more than its limit, saying how many there are', async () => {
      // The limit is that of the calls; what the tests before did is in the record too. Counted by a job, which may be behind.
      await eventually(async () => {
        const answer = await read('kiem-tra', '/records/export?format=csv');
        const text = await answer.text().catch(() => 'broken off at the limit');
        return answer.status === 400 && text.includes('12000') ? true : undefined;
      }, 'how many there are');
    });

    it('records who searched for what, a person only as a digest', async () => {
      await read('kiem-tra', '/records?user=nguyen-van-a&agency=H35.61');
      const last = (await allRecords(gateway.gateway.database))
        .filter(({ operation }) => operation === 'listRecords')
        .at(-1);
      const { filters } = last?.target?.after as { filters: Record<string, string> };
      assert.equal(filters['agency'], 'H35.61');
      assert.match(filters['user'] ?? '', /^[A-Za-z0-9_-]{43}$/);
    });

    it('keeps searches for their owner alone', async () => {
      const json = { 'content-type': 'application/json' };
      const filters = { agency: 'H35.61', outcome: 'answered' };
      const send = (client: string, method: string, path: string, body?: object): Promise<Response> =>
        gateway.call(client, `/api/audit${path}`, {
          method,
          ...(body === undefined ? {} : { headers: json, body: JSON.stringify(body) }),
        });
      const made = await send('kiem-tra', 'POST', '/searches', { name: ' Xã ', filters });
      assert.equal(made.status, 201);
      const { id, name } = (await made.json()) as { id: string; name: string };
      assert.equal(name, 'Xã');
      assert.equal((await send('kiem-tra', 'POST', '/searches', { name: 'Xã', filters })).status, 409);
      for (const method of ['GET', 'DELETE'])
        assert.equal((await send('khai-thac', method, `/searches/${id}`)).status, 404, method);
      assert.equal((await send('khai-thac', 'GET', `/records?saved=${id}`)).status, 404);
      const count = async (query: string): Promise<number> =>
        ((await (await read('kiem-tra', `/records/summary?${query}`)).json()) as { total: number }).total;
      assert.equal(await count(`saved=${id}&${SPAN}`), COUNT / 100);
      assert.equal(
        await count(`saved=${id}&agency=H35.62&${SPAN}`),
        COUNT - COUNT / 100,
        'what the call names counts',
      );
      const changed = await send('kiem-tra', 'PUT', `/searches/${id}`, {
        name: 'Khác',
        filters: { agency: 'H35.62' },
      });
      assert.equal(changed.status, 200);
      const list = (await (await read('kiem-tra', '/searches')).json()) as { items: { name: string }[] };
      assert.deepEqual(
        list.items.map((item) => item.name),
        ['Khác'],
      );
      assert.equal((await send('kiem-tra', 'DELETE', `/searches/${id}`)).status, 204);
      assert.equal((await read('kiem-tra', `/searches/${id}`)).status, 404);
    });

    it('exports from the command line', async () => {
      const folder = mkdtempSync(join(test.dataDir, 'export-'));
      const file = join(folder, 'nhat-ky.csv');
      const said: string[] = [];
      const io = {
        env: { LGSP_CLIENT_SECRET: secretOf('kiem-tra') },
        out: (text: string) => void said.push(text),
        err: (text: string) => void said.push(text),
      };
      const from = new Date(T0).toISOString();
      const code = await runCommand(
        [
          'audit',
          'export',
          '--url',
          gateway.url,
          '--client',
          'kiem-tra',
          '--format',
          'csv',
          '--from',
          from,
        ].concat([
          '--to',
          new Date(T0 + 10 * 60_000).toISOString(),
          '--filter',
          'agency=H35.62',
          '--out',
          file,
        ]),
        io,
      );
      assert.equal(code, 0, said.join('\n'));
      assert.equal(readFileSync(file, 'utf8').trimEnd().split('\r\n').length, 10);
      rmSync(folder, { recursive: true });
    });

    it('leaves a log that verifies', async () => {
      await soundLog(gateway.gateway.database);
    });
  });
}
