import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { HeldClock } from '../identity/held-clock.js';
import { verifyInstallation } from '../../gateway/cli/verify-log.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addService, addSystem } from '../kit/province.js';

/** Invented; none of them can be anybody's. */
const WOMAN = '035900000017';
const MAN = '035900000024';
const CHILD = '035900000031';
const REASON = 'Trả lời đơn kiến nghị số 12 của công dân';

const PERSON = {
  type: 'object',
  required: ['soDinhDanh'],
  properties: { soDinhDanh: { type: 'string' }, hoTen: { type: 'string' } },
};
const LIST = { type: 'object', properties: { duLieu: { type: 'array', items: PERSON } } };
const answer = (schema: unknown) => ({
  200: { description: 'kết quả', content: { 'application/json': { schema } } },
});
const REGISTER = {
  openapi: '3.1.0',
  info: { title: 'Dân cư (giả định)', version: '1.0.0' },
  paths: {
    '/cong-dan/{so}': {
      get: {
        operationId: 'xem',
        parameters: [
          { name: 'so', in: 'path', required: true, schema: { type: 'string', pattern: '^[0-9 ]+$' } },
        ],
        responses: answer(PERSON),
      },
    },
    '/ho': {
      get: {
        operationId: 'timHo',
        parameters: [{ name: 'chuHo', in: 'query', schema: { type: 'string' } }],
        responses: answer(LIST),
      },
      post: {
        operationId: 'capNhat',
        requestBody: { required: true, content: { 'application/json': { schema: LIST } } },
        responses: answer(LIST),
      },
    },
  },
};
const SUBJECTS = {
  request: [
    { pointer: '/path/so', kind: 'citizen', operations: ['xem'] },
    { pointer: '/query/chuHo', kind: 'citizen' },
    { pointer: '/body/duLieu/*/soDinhDanh', kind: 'citizen' },
  ],
  response: [
    { pointer: '/body/soDinhDanh', kind: 'citizen', operations: ['xem'] },
    { pointer: '/body/duLieu/*/soDinhDanh', kind: 'citizen', operations: ['timHo', 'capNhat'] },
  ],
};

interface Access {
  readonly agency: string;
  readonly operation: string;
  readonly outcome: string;
  readonly code: string | null;
  readonly reason: string | null;
}

for (const engine of engines) {
  describe(`who looked at whose data, on ${engine.name}`, function () {
    this.timeout(120_000);
    let test: TestDatabase;
    let gateway: TestGateway;
    let source: Server;
    let said: unknown = {};
    let logged = '';
    const clock = new HeldClock(Date.parse('2025-08-01T02:00:00Z'));

    before(async () => {
      test = await engine.create();
      source = createServer((_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(said));
      });
      await new Promise<void>((resolve) => source.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(source.address() as AddressInfo).port}`;
      const { database } = test;
      for (const code of ['H35', 'H35.11', 'H35.12', 'H35.61']) await addAgency(database, code);
      await addSystem(database, 'xa', 'H35.61');
      await addSystem(database, 'kiem-tra', 'H35', { roles: ['auditor'] });
      await addSystem(database, 'quan-ly', 'H35', { roles: ['manager'] });
      await addSystem(database, 'cung-cap', 'H35.11', { roles: ['provider'] });
      await addSystem(database, 'khac', 'H35.12', { roles: ['provider'] });
      const paths = { xem: { path: '/a' }, timHo: { path: '/b' }, capNhat: { path: '/c' } };
      for (const [slug, sharing] of [
        ['dan-cu', 'default'],
        ['dan-cu-rieng', 'special'],
      ] as const)
        await addService(database, url, {
          ...{ slug, sharing, document: REGISTER },
          manifest: { operations: paths, subjects: SUBJECTS },
        });
      const sink = new Writable({
        write(chunk, _encoding, done) {
          logged += String(chunk);
          done();
        },
      });
      gateway = await startTestGateway(
        test,
        { record: { subjects: 3 } },
        { clock, log: pino({ level: 'trace' }, sink) },
      );
    });
    after(async () => {
      await gateway.close();
      source.close();
      source.closeAllConnections();
      await test.drop();
    });

    const person = (soDinhDanh: string) => ({ soDinhDanh, hoTen: 'Người mẫu' });
    const call = async (path: string, init: RequestInit = {}, client: string | null = 'xa') => {
      const response = await gateway.call(client, `/data/H35.11/${path}`, init);
      await response.arrayBuffer();
      const record = (await allRecords(test.database)).findLast(({ kind }) => kind === 'closing');
      return { status: response.status, subjects: record?.subjects ?? [], leftOut: record?.subjectsLeftOut };
    };
    const ask = async (client: string, identifier: string, more: object = {}, what = 'search') =>
      await gateway.call(client, `/api/audit/subjects/${what}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ kind: 'citizen', identifier, reason: REASON, ...more }),
      });
    const accesses = async (client: string, identifier: string, more: object = {}): Promise<Access[]> => {
      const response = await ask(client, identifier, more);
      const body = (await response.json()) as { items: Access[] };
      assert.equal(response.status, 200, JSON.stringify(body));
      return body.items;
    };
    const operations = async (identifier: string): Promise<string[]> =>
      (await accesses('kiem-tra', identifier)).map(({ operation }) => operation);

    it('is recorded for whom a call asks for and whom its answer names, each once, however it is spelled', async () => {
      said = person(WOMAN);
      const one = await call(`dan-cu/v1/cong-dan/${encodeURIComponent('0359 0000 0017')}`);
      assert.deepEqual([one.status, one.subjects.length, one.leftOut], [200, 1, undefined]);
      said = { duLieu: [person(WOMAN), person(MAN)] };
      const household = await call(`dan-cu/v1/ho?chuHo=${WOMAN}`);
      assert.equal(household.subjects.length, 2);
      assert.ok(household.subjects.includes(one.subjects[0]!));
      assert.deepEqual(household.subjects, [...household.subjects].sort());
      // The newest: a second try of this test calls again, and finds its own searches.
      assert.deepEqual((await operations(WOMAN)).slice(0, 2), ['timHo', 'xem']);
      assert.deepEqual((await operations(MAN)).slice(0, 1), ['timHo']);
      assert.deepEqual(await operations(CHILD), []);
    });

    it('is recorded for a call that changes something before it leaves, and found once', async () => {
      said = { duLieu: [] };
      await call('dan-cu/v1/ho', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ duLieu: [person(CHILD)] }),
      });
      const [opening, closing] = (await allRecords(test.database)).filter(
        ({ operation }) => operation === 'capNhat',
      );
      assert.equal(opening?.kind, 'opening');
      assert.deepEqual(opening.subjects, closing?.subjects);
      const found = (await accesses('kiem-tra', CHILD)).filter(({ operation }) => operation === 'capNhat');
      assert.equal(found.length, 1);
    });

    for (const [why, path, init, code] of [
      ['without an approval', `dan-cu-rieng/v1/cong-dan/${MAN}`, {}, 'grant_required'],
      ['against the contract', `dan-cu/v1/ho?chuHo=${MAN}&la=1`, {}, 'request_invalid'],
      [
        'with a body against the contract',
        'dan-cu/v1/ho',
        {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ duLieu: [{ soDinhDanh: MAN, hoTen: 1 }] }),
        },
        'request_invalid',
      ],
    ] as const) {
      it(`is recorded for an attempt ${why}`, async () => {
        const { status, subjects } = await call(path, init);
        assert.ok(status >= 400);
        assert.equal(subjects.length, 1);
        const found = (await accesses('kiem-tra', MAN)).find(({ outcome }) => outcome === 'refused');
        assert.equal(found?.code, code);
      });
    }

    it('names nobody whom an answer names that did not leave', async () => {
      said = { duLieu: [{ ...person(CHILD), hoTen: 1 }] };
      const { status, subjects } = await call(`dan-cu/v1/ho?chuHo=${WOMAN}`);
      assert.deepEqual([status, subjects.length], [502, 1]);
    });

    it('names nobody for a caller whom nobody knows, or in the sandbox', async () => {
      assert.deepEqual((await call(`dan-cu/v1/cong-dan/${WOMAN}`, {}, null)).subjects, []);
      const response = await gateway.call('xa', `/sandbox/H35.11/dan-cu/v1/cong-dan/${WOMAN}`);
      await response.arrayBuffer();
      assert.equal((await allRecords(test.database)).at(-1)?.subjects, undefined);
    });

    it('holds so many persons a record, and says how many were left out', async () => {
      said = { duLieu: ['1', '2', '3', '4', ' 4 '].map(person) };
      const { subjects, leftOut } = await call(`dan-cu/v1/ho?chuHo=${WOMAN}`);
      assert.deepEqual([subjects.length, leftOut], [3, 2]);
      assert.ok((await operations(WOMAN)).includes('timHo'), 'whom the request names stays');
    });

    it('is for auditors, and for providers within their own services, who say why', async () => {
      const own = await accesses('cung-cap', WOMAN);
      assert.ok(own.length > 0 && own.every(({ agency }) => agency === 'H35.61'));
      assert.deepEqual(await accesses('khac', WOMAN), []);
      for (const client of ['xa', 'quan-ly']) assert.equal((await ask(client, WOMAN)).status, 403, client);
      for (const more of [{ reason: undefined }, { reason: 'vì' }, { reason: '              ' }, { to: 'x' }])
        assert.equal((await ask('kiem-tra', WOMAN, more)).status, 400, JSON.stringify(more));
      assert.equal((await ask('kiem-tra', WOMAN, { cursor: '99999999999999999' })).status, 400);
    });

    it('is itself recorded with its reason, and found by whoever asks next', async () => {
      await accesses('kiem-tra', CHILD);
      const asked = (await allRecords(test.database)).findLast(({ kind }) => kind === 'closing');
      assert.equal((asked?.target?.after as { reason: string }).reason, REASON);
      assert.equal(asked?.subjects?.length, 1);
      const found = (await accesses('kiem-tra', CHILD)).find(
        ({ operation }) => operation === 'searchSubject',
      );
      assert.deepEqual([found?.agency, found?.reason], ['H35', REASON]);
    });

    it('pages, and keeps to a time', async () => {
      const pages: string[] = [];
      let cursor: string | undefined;
      const to = new Date(clock.now() + 1).toISOString();
      do {
        const response = await ask('kiem-tra', WOMAN, {
          limit: 1,
          to,
          ...(cursor === undefined ? {} : { cursor }),
        });
        const { items, next } = (await response.json()) as {
          items: { record: string }[];
          next: string | null;
        };
        pages.push(...items.map(({ record }) => record));
        cursor = next ?? undefined;
        assert.ok(pages.length < 100);
      } while (cursor !== undefined);
      assert.ok(pages.length >= 4);
      assert.equal(new Set(pages).size, pages.length);
      assert.deepEqual(await accesses('kiem-tra', WOMAN, { from: to }), []);
    });

    it('stays findable when the key was changed', async () => {
      const before = await operations(MAN);
      const { kid } = await gateway.gateway.keyRing.rotate('subject');
      clock.move(10_000);
      said = person(MAN);
      const { subjects } = await call(`dan-cu/v1/cong-dan/${MAN}`);
      assert.ok(subjects[0]?.startsWith(`${kid}:citizen:`));
      const after = await operations(MAN);
      assert.deepEqual(
        after.filter((one) => one !== 'searchSubject').length,
        before.filter((one) => one !== 'searchSubject').length + 1,
      );
    });

    it('makes a report for an official, which says what it rests on', async () => {
      const json = (await (await ask('kiem-tra', MAN, {}, 'report')).json()) as any;
      assert.equal(json.title, `Truy cập dữ liệu của ${MAN}`);
      assert.equal(json.total, json.accesses.length);
      assert.equal(
        json.groups.reduce((sum: number, { calls }: { calls: number }) => sum + calls, 0),
        json.total,
      );
      const heads = await test.database
        .knex('log_checkpoints')
        .where({ tree_size: json.basis.treeSize })
        .first();
      assert.equal(json.basis.root, (heads.root_hash as Buffer).toString('base64'));
      const csv = await (await ask('kiem-tra', MAN, { format: 'csv' }, 'report')).text();
      assert.equal(csv.split('\r\n').length, Number(json.total) + 5, 'one more, for the report before');
      const response = await ask('kiem-tra', MAN, { format: 'text' }, 'report');
      assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
      const text = await response.text();
      assert.match(text, /^TRUY CẬP DỮ LIỆU CỦA 035900000024\n/);
      for (const part of [
        'Cơ quan H35.61 – H35.61',
        'Lý do tra cứu: Trả lời',
        'bị từ chối (grant_required)',
        'mã gốc',
      ])
        assert.ok(text.includes(part), part);
    });

    it('leaves the identifier nowhere: not in the database, not in the log of the node', async () => {
      assert.ok(logged.length > 0);
      const held =
        engine.name === 'SQLite'
          ? readdirSync(test.dataDir)
              .filter((name) => /sqlite|\.db|-wal/.test(name))
              .map((name) => readFileSync(join(test.dataDir, name)).toString('latin1'))
              .join('')
          : await dump(test.database.location);
      assert.ok(held.includes('dan-cu'), 'it looks at the right files');
      for (const identifier of [WOMAN, MAN, CHILD, '0359 0000'])
        for (const [where, text] of [
          ['database', held],
          ['log', logged],
        ] as const)
          assert.ok(!text.includes(identifier), `${identifier} in the ${where}`);
      assert.equal((await verifyInstallation(test.database)).ok, true);
    });
  });
}

/** All rows of the schema that the test works in, as text. */
async function dump(url: string): Promise<string> {
  const schema = /search_path%3D(\w+)|search_path=(\w+)/.exec(url)?.slice(1).find(Boolean) ?? '';
  const plain = new URL(url);
  plain.search = '';
  const { stdout } = await promisify(execFile)('pg_dump', ['--data-only', '-n', schema, plain.href], {
    maxBuffer: 1 << 28,
  });
  return stdout;
}
