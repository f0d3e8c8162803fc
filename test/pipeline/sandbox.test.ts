import assert from 'node:assert/strict';
import type { AuditRecord } from '../../gateway/audit/record.js';
import { preferencesOf } from '../../gateway/pipeline/preferences.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addService, addSystem } from '../kit/province.js';
import { type Source, startSource } from '../kit/source.js';

const SCHEMA = {
  type: 'object',
  required: ['ma'],
  additionalProperties: false,
  properties: { ma: { type: 'string', pattern: '^[0-9]{5}$' }, ten: { type: 'string' } },
};
const media = (more: object) => ({ 'application/json': { schema: SCHEMA, ...more } });
const operation = (operationId: string, responses: object, more: object = {}) => ({
  operationId,
  responses,
  ...more,
});
const ok = (content: object, more: object = {}) => ({ '200': { description: '', content, ...more } });
const MARK = { secrecyMarks: { request: ['/body/doMat'], response: ['/body/ten'], values: ['mat-thu'] } };

const DOCUMENT = {
  openapi: '3.1.0',
  info: { title: 'Dịch vụ thử', version: '1.0.0' },
  paths: {
    '/vi-du': {
      get: operation(
        'viDu',
        {
          ...ok(
            media({
              examples: {
                mot: { value: { ma: '00001', ten: 'Một' } },
                'khong dau': { value: { ma: '00002' } },
                'Tìm thấy': { value: { ma: '00003' } },
              },
            }),
          ),
          '404': { description: '', content: media({ example: { ma: '40404' } }) },
        },
        { parameters: [{ name: 'n', in: 'query', schema: { type: 'integer', minimum: 1 } }] },
      ),
      post: operation(
        'ghi',
        {
          '201': {
            description: '',
            headers: { Location: { required: true, schema: { type: 'string', format: 'uri-reference' } } },
          },
        },
        {
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: { ...SCHEMA, properties: { ...SCHEMA.properties, doMat: { type: 'string' } } },
              },
            },
          },
        },
      ),
      delete: operation('xoa', { '204': { description: '' } }),
    },
    '/luoc-do': { get: operation('luocDo', ok(media({}))) },
    '/sai': { get: operation('sai', ok(media({ example: { ma: 'không phải mã', la: 1 } }))) },
    '/mat': { get: operation('mat', ok(media({ example: { ma: '00004', ten: 'Mat-thu' } }))) },
    '/anh': { get: operation('anh', ok({ 'image/png': {} })) },
    '/khong-dung-duoc': {
      get: operation(
        'khongDungDuoc',
        ok({ 'application/json': { schema: { type: 'string', pattern: '^[\\u4e00-\\u4e01]$' } } }),
      ),
    },
  },
};
const OPERATIONS = Object.fromEntries(
  ['viDu', 'ghi', 'xoa', 'luocDo', 'sai', 'mat', 'anh', 'khongDungDuoc'].map((id) => [id, { path: '/ok' }]),
);

interface ProblemBody {
  readonly code: string;
  readonly stage: string;
  readonly detail: string;
  readonly errors?: readonly { pointer: string }[];
  readonly remedy: { readonly text: string; readonly sandbox?: string };
}

for (const engine of engines) {
  describe(`the sandbox, on ${engine.name}`, () => {
    let test: TestDatabase;
    let source: Source;
    let gateway: TestGateway;

    before(async () => {
      test = await engine.create();
      source = await startSource();
      const { database } = test;
      await addAgency(database, 'H35.11', { alias: '000.00.11.H35' });
      await addAgency(database, 'H35.12');
      await addAgency(database, 'H35.41', { valid_to: '2001-01-01' });
      await addSystem(database, 'consumer', 'H35.12');
      await addSystem(database, 'auditor', 'H35.12', { roles: ['auditor'] });
      await addSystem(database, 'locked', 'H35.12', { state: 'locked' });
      await addSystem(database, 'closed', 'H35.41');
      await addSystem(database, 'limited', 'H35.12', { limit: { calls: 2, seconds: 600 } });
      const service = (slug: string, more: object = {}) =>
        addService(database, source.url, {
          slug,
          document: DOCUMENT,
          ...more,
          manifest: { operations: OPERATIONS, ...MARK, ...(more as { manifest?: object }).manifest },
        });
      await service('thuong');
      await service('dac-thu', { sharing: 'special' });
      await service('tam-dung', { state: 'suspended' });
      await service('ngung', { state: 'retired' });
      await service('nhap', { state: 'draft' });
      await service('bao-cao', { manifest: { responseCheck: 'report' } });
      await service('it', {
        manifest: { limits: { service: { calls: 1, seconds: 600 }, system: { calls: 1, seconds: 600 } } },
      });
      await service('dong', { provider: 'H35.41' });
      gateway = await startTestGateway(test);
    });

    after(async () => {
      await gateway.close();
      await source.close();
      await test.drop();
    });

    const path = (slug: string, rest: string, provider = 'H35.11'): string =>
      `/sandbox/${provider}/${slug}/v1${rest}`;
    const call = (
      slug: string,
      rest: string,
      init: RequestInit = {},
      client = 'consumer',
    ): Promise<Response> => gateway.call(client, path(slug, rest), init);
    const prefer = (value: string): RequestInit => ({ headers: { prefer: value } });
    const post = (body: unknown): RequestInit => ({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

    /** What a call left in the log. */
    async function recorded(act: () => Promise<Response>): Promise<[Response, AuditRecord[]]> {
      const before = (await allRecords(test.database)).length;
      const response = await act();
      return [response, (await allRecords(test.database)).slice(before)];
    }

    async function refusal(response: Response, status: number, code: string): Promise<ProblemBody> {
      const text = await response.text();
      assert.equal(response.status, status, text);
      const problem = JSON.parse(text) as ProblemBody;
      assert.equal(problem.code, code, text);
      assert.equal(response.headers.get('lgsp-sandbox'), '?1');
      return problem;
    }

    it('answers from the document, marked and recorded as what it is, and asks no source', async () => {
      const asked = source.seen.length;
      const [response, records] = await recorded(() => call('thuong', '/vi-du'));
      assert.equal(response.status, 200);
      assert.deepEqual(await response.json(), { ma: '00001', ten: 'Một' });
      assert.equal(response.headers.get('lgsp-sandbox'), '?1');
      assert.equal(response.headers.get('content-type'), 'application/json');
      assert.equal(response.headers.get('lgsp-record'), records[0]?.id);
      assert.equal(records.length, 1);
      const {
        plane,
        kind,
        outcome,
        provider,
        service,
        version,
        operation: id,
        system,
        status,
        path: template,
        sourceMs,
      } = records[0]!;
      assert.deepEqual(
        { plane, kind, outcome, provider, service, version, id, system, status, template, sourceMs },
        {
          plane: 'sandbox',
          kind: 'closing',
          outcome: 'answered',
          provider: 'H35.11',
          service: 'thuong',
          version: 'v1',
          id: 'viDu',
          system: 'consumer',
          status: 200,
          template: '/vi-du',
          sourceMs: undefined,
        },
      );
      assert.equal(source.seen.length, asked);
    });

    it('does not mark what is no sample', async () => {
      const response = await gateway.call('consumer', '/data/H35.11/thuong/v1/vi-du');
      assert.equal(response.headers.get('lgsp-sandbox'), null);
      const page = await gateway.call(null, '/docs/');
      assert.equal(page.headers.get('lgsp-sandbox'), null);
    });

    it('makes an answer from the schema, always the same', async () => {
      const [first, again] = [await call('thuong', '/luoc-do'), await call('thuong', '/luoc-do')];
      const body = (await first.json()) as { ma: string };
      assert.match(body.ma, /^[0-9]{5}$/);
      assert.deepEqual(await again.json(), body);
    });

    it('takes the alias of a provider', async () => {
      assert.equal((await gateway.call('consumer', path('thuong', '/vi-du', '000.00.11.H35'))).status, 200);
    });

    for (const [name, slug, client] of [
      ['a service that needs an approval, without one', 'dac-thu', 'consumer'],
      ['a system without the role of a consumer', 'thuong', 'auditor'],
    ] as const) {
      it(`serves ${name}`, async () => {
        assert.equal((await call(slug, '/vi-du', {}, client)).status, 200);
      });
    }

    for (const [slug, rest, client, status, code] of [
      ['tam-dung', '/vi-du', 'consumer', 503, 'service_suspended'],
      ['ngung', '/vi-du', 'consumer', 410, 'service_retired'],
      ['nhap', '/vi-du', 'consumer', 404, 'service_not_found'],
      ['khong-co', '/vi-du', 'consumer', 404, 'service_not_found'],
      ['thuong', '/khong-co', 'consumer', 404, 'operation_not_found'],
      ['thuong', '/luoc-do%E0%A4%A', 'consumer', 400, 'request_malformed'],
      ['thuong', '/vi-du', 'locked', 403, 'client_locked'],
      ['thuong', '/vi-du', 'closed', 403, 'agency_inactive'],
    ] as const) {
      it(`refuses ${client} at ${slug}${rest} with ${code}`, async () => {
        const [response, records] = await recorded(() => call(slug, rest, {}, client));
        await refusal(response, status, code);
        assert.deepEqual(
          records.map(({ plane, code: recordedCode }) => [plane, recordedCode]),
          [['sandbox', code]],
        );
      });
    }

    it('refuses a service whose provider is not in force', async () => {
      const response = await gateway.call('consumer', path('dong', '/vi-du', 'H35.41'));
      await refusal(response, 403, 'agency_inactive');
    });

    it('refuses whoever does not say who it is', async () => {
      await refusal(await gateway.call(null, path('thuong', '/vi-du')), 401, 'token_missing');
      const headers = { authorization: 'Bearer khong.phai.ma' };
      await refusal(await gateway.call(null, path('thuong', '/vi-du'), { headers }), 401, 'token_invalid');
    });

    it('takes tokens for the data services and no others', async () => {
      const headers = { authorization: `Bearer ${await gateway.token('consumer', 'api')}` };
      await refusal(await gateway.call(null, path('thuong', '/vi-du'), { headers }), 401, 'token_invalid');
    });

    it('refuses a method that the path does not have, and names those it has', async () => {
      const response = await call('thuong', '/vi-du', { method: 'PATCH' });
      await refusal(response, 405, 'method_not_allowed');
      assert.equal(response.headers.get('allow'), 'DELETE, GET, POST');
    });

    it('refuses what is wrong with a request as the data services do', async () => {
      const query = await refusal(await call('thuong', '/vi-du?n=0'), 400, 'request_invalid');
      assert.deepEqual(
        query.errors?.map(({ pointer }) => pointer),
        ['/query/n'],
      );
      const body = await refusal(await call('thuong', '/vi-du', post({ ma: 'x' })), 400, 'request_invalid');
      assert.deepEqual(
        body.errors?.map(({ pointer }) => pointer),
        ['/body/ma'],
      );
      const xml = { method: 'POST', headers: { 'content-type': 'application/xml' }, body: '<a/>' };
      await refusal(await call('thuong', '/vi-du', xml), 415, 'media_type_unsupported');
      const accept = { headers: { accept: 'application/xml' } };
      await refusal(await call('thuong', '/vi-du', accept), 406, 'not_acceptable');
    });

    it('stops a request that declares itself a state secret', async () => {
      const response = await call('thuong', '/vi-du', post({ ma: '00001', doMat: 'Tối mật' }));
      const { stage } = await refusal(response, 422, 'state_secret');
      assert.equal(stage, 'check-request');
    });

    it('stops a sample that would be stopped as an answer', async () => {
      const { stage } = await refusal(await call('thuong', '/mat'), 422, 'state_secret');
      assert.equal(stage, 'check-response');
    });

    it('changes nothing, and leaves one record of it', async () => {
      const asked = source.seen.length;
      const [response, records] = await recorded(() => call('thuong', '/vi-du', post({ ma: '00001' })));
      assert.equal(response.status, 201);
      assert.equal(response.headers.get('location'), '/mau/1');
      assert.equal(await response.text(), '');
      assert.deepEqual(
        records.map(({ kind, method, opening }) => [kind, method, opening]),
        [['closing', 'POST', undefined]],
      );
      const [deleted, after] = await recorded(() => call('thuong', '/vi-du', { method: 'DELETE' }));
      assert.equal(deleted.status, 204);
      assert.equal(after.length, 1);
      assert.equal(source.seen.length, asked);
    });

    for (const [wish, status, ma, applied] of [
      ['code=404', 404, '40404', 'code=404'],
      ['code=404; wait=3', 404, '40404', 'code=404'],
      ['respond-async, CODE="404"', 404, '40404', 'code=404'],
      ['example=mot', 200, '00001', 'example="mot"'],
      ['example="khong dau", code=200', 200, '00002', 'code=200, example="khong dau"'],
      ['code=500', 200, '00001', null],
      ['code=099', 200, '00001', null],
      ['code=4040', 200, '00001', null],
      ['example=khong-co', 200, '00001', null],
      ['code=404, example=mot', 404, '40404', 'code=404'],
      ['code=404, code=200', 404, '40404', 'code=404'],
      ['=,;"', 200, '00001', null],
    ] as const) {
      it(`meets Prefer: ${wish}`, async () => {
        const response = await call('thuong', '/vi-du', prefer(wish));
        assert.equal(response.status, status);
        assert.equal(((await response.json()) as { ma: string }).ma, ma);
        assert.equal(response.headers.get('preference-applied'), applied);
      });
    }

    it('finds an example whose name is sent as UTF-8', async () => {
      const name = Buffer.from('Tìm thấy', 'utf8').toString('latin1');
      const response = await call('thuong', '/vi-du', prefer(`example="${name}"`));
      assert.equal(((await response.json()) as { ma: string }).ma, '00003');
    });

    for (const slug of ['thuong', 'bao-cao']) {
      it(`refuses an example that does not fit its own schema, and says where (${slug})`, async () => {
        const [response, records] = await recorded(() =>
          call(slug, '/sai', { headers: { 'accept-language': 'en' } }),
        );
        const { errors, detail } = await refusal(response, 502, 'response_invalid');
        assert.deepEqual(errors?.map(({ pointer }) => pointer).sort(), ['/body/la', '/body/ma']);
        assert.match(detail, /does not match its own schema/);
        assert.equal(records[0]?.code, 'response_invalid');
      });
    }

    it('says where the document gives nothing to answer with', async () => {
      await refusal(await call('thuong', '/anh'), 406, 'not_acceptable');
      await refusal(await call('thuong', '/khong-dung-duoc'), 502, 'response_invalid');
    });

    it('counts against the limit of the system', async () => {
      const limited = () => call('thuong', '/vi-du', {}, 'limited');
      const first = await limited();
      assert.match(first.headers.get('ratelimit') ?? '', /^"system";r=1;t=\d+$/);
      assert.equal((await limited()).status, 200);
      const response = await limited();
      await refusal(response, 429, 'rate_limited');
      assert.ok(Number(response.headers.get('retry-after')) > 0);
    });

    it('never counts against the limits of the service', async () => {
      for (let i = 0; i < 3; i += 1) assert.equal((await call('it', '/vi-du')).status, 200);
      const data = await gateway.call('consumer', '/data/H35.11/it/v1/luoc-do');
      assert.match(data.headers.get('ratelimit') ?? '', /"service";r=0/);
    });

    it('is named by the refusal for want of an approval, without the values of the path', async () => {
      const response = await gateway.call('consumer', '/data/H35.11/dac-thu/v1/vi-du?n=7');
      assert.equal(response.status, 403);
      const { remedy } = (await response.json()) as ProblemBody;
      assert.equal(remedy.sandbox, `${gateway.url}/sandbox/H35.11/dac-thu/v1/vi-du`);
      assert.match(remedy.text, /\/sandbox/);
      assert.equal(response.headers.get('lgsp-sandbox'), null);
    });

    it('is a plane that records can be searched by', async () => {
      const found = await gateway.call('auditor', '/api/audit/records?plane=sandbox&limit=5');
      const text = await found.text();
      assert.equal(found.status, 200, text);
      const { items } = JSON.parse(text) as { items: AuditRecord[] };
      assert.ok(items.length > 0 && items.every(({ plane }) => plane === 'sandbox'));
    });

    it('is counted apart from the data services', async () => {
      const metrics = await (await gateway.call(null, '/metrics')).text();
      assert.match(metrics, /lgsp_calls_total\{plane="sandbox",outcome="answered",code=""\} \d+/);
      assert.doesNotMatch(metrics, /lgsp_service_calls_total\{service="H35.11\/bao-cao/);
    });
  });
}

describe('pipeline/preferences', () => {
  for (const [header, found] of [
    ['', {}],
    ['code=404', { code: '404' }],
    ['a, b=1,c = "x, y; z" ; p="q,r" , d', { a: '', b: '1', c: 'x, y; z', d: '' }],
    ['A="\\"q\\\\"', { a: '"q\\' }],
    ['a=1, a=2', { a: '1' }],
    ['a=1 2, b=3', { b: '3' }],
    ['"', {}],
    ['a="open, b=1', {}],
    [`a="${'x'.repeat(2000)}"`, {}],
    ['; '.repeat(500), {}],
  ] as const) {
    it(`reads ${header.slice(0, 40)}`, () =>
      assert.deepEqual(Object.fromEntries(preferencesOf(header)), found));
  }
});
