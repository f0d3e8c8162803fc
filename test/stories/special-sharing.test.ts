import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HeldClock } from '../identity/held-clock.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { AGREEMENT, ANSWER, CONTENT, REGISTER, SERVICE } from '../sharing/province.js';
import { RegisterSource } from '../sharing/register-source.js';

const PDF = Buffer.from('%PDF-1.7\nvăn bản mẫu (giả định)');

interface Paper {
  readonly id: string;
  readonly number: string;
  readonly issuer: string;
}

/**
 * One request from its first paper to its last day, over HTTP only and from an empty gateway: what a province does when
 * one department needs a part of another's data.
 */
for (const engine of engines) {
  describe(`a special request from its first paper to its last day, on ${engine.name}`, function () {
    this.timeout(60_000);
    let test: TestDatabase;
    let node: TestGateway;
    let source: RegisterSource;
    const clock = new HeldClock(Date.parse('2025-08-01T02:00:00Z'));
    const secrets = new Map<string, string>();
    let request: string;

    before(async () => {
      test = await engine.create({ migrated: false });
      source = await RegisterSource.start(ANSWER);
      node = await startTestGateway(
        test,
        { sharing: { defaultSharing: 'subscribe' }, fourEyes: true },
        { clock },
      );
      const { clientId, secret } = JSON.parse(readFileSync(join(test.dataDir, 'admin.json'), 'utf8'));
      secrets.set(clientId, secret);
    });
    after(async () => {
      await node.close();
      await source.close();
      await test.drop();
    });

    const token = async (client: string, resource: 'api' | 'data'): Promise<string> => {
      const pair = Buffer.from(`${client}:${secrets.get(client) ?? ''}`).toString('base64');
      const answer = await fetch(`${node.url}/oidc/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${pair}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${node.url}/${resource}` }),
      });
      return ((await answer.json()) as { access_token: string }).access_token;
    };
    const send = async (
      client: string,
      method: string,
      path: string,
      body?: unknown,
      type = 'application/json',
    ) => {
      const file = Buffer.isBuffer(body);
      const answer = await fetch(`${node.url}/api${path}`, {
        method,
        headers: {
          authorization: `Bearer ${await token(client, 'api')}`,
          ...(body === undefined ? {} : { 'content-type': type }),
        },
        ...(body === undefined ? {} : { body: file ? new Uint8Array(body) : JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
    };
    const done = async (
      client: string,
      method: string,
      path: string,
      body?: unknown,
      type?: string,
    ): Promise<any> => {
      const answer = await send(client, method, path, body, type);
      assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`);
      return answer.body;
    };
    const call = async (plane = 'data'): Promise<Response> =>
      await fetch(`${node.url}/${plane}/${SERVICE}/doanh-nghiep`, {
        headers: { authorization: `Bearer ${await token('mot-cua', 'data')}` },
      });
    const code = async (): Promise<string> => {
      const answer = await call();
      return answer.status === 200 ? 'answered' : ((await answer.json()) as { code: string }).code;
    };
    const enter = async (client: string, paper: Paper): Promise<void> => {
      await done(client, 'POST', '/documents', {
        ...paper,
        kind: 'written_request',
        issuedOn: '2025-07-30',
        signatory: 'Lò Văn Mẫu',
      });
      await done(client, 'PUT', `/documents/${paper.id}/attachment`, PDF, 'application/pdf');
    };
    const register = async (by: string, id: string, agency: string, role: string): Promise<void> => {
      const { credential } = await done(by, 'POST', '/systems', {
        ...{ id, agency, name: id, roles: [role], credential: { kind: 'secret' }, document: 'cv-01' },
      });
      secrets.set(id, credential.secret);
    };
    const step = (client: string, name: string, more: object = {}) =>
      done(client, 'POST', `/sharing-requests/${request}/steps`, { step: name, ...more });

    it('two agencies are registered, and their systems, on a document', async () => {
      await enter('admin', { id: 'cv-01', number: '01/SKHCN-VP', issuer: 'Sở Khoa học và Công nghệ' });
      for (const [agency, name] of [
        ['H35.12', 'Sở Tài chính'],
        ['H35.61', 'UBND xã Pu Sam Cáp'],
      ])
        await done('admin', 'POST', '/agencies', {
          code: agency,
          name,
          level: 'department',
          validFrom: '2025-07-01',
          document: 'cv-01',
        });
      const registered = (await allRecords(test.database)).filter(
        ({ operation, outcome }) => operation === 'createAgency' && outcome === 'answered',
      );
      assert.deepEqual(
        registered.map(({ target }) => [target?.key, (target?.after as any).document.number]),
        [
          ['H35.12', '01/SKHCN-VP'],
          ['H35.61', '01/SKHCN-VP'],
        ],
      );
      await register('admin', 'quan-ly', 'H35', 'manager');
      await register('admin', 'van-hanh', 'H35', 'operator');
      await register('van-hanh', 'cung-cap', 'H35.12', 'provider');
      await register('van-hanh', 'mot-cua', 'H35.61', 'consumer');
      await enter('cung-cap', { id: 'h35-12--cv-12', number: '12/STC-THTK', issuer: 'Sở Tài chính' });
      await enter('mot-cua', { id: 'h35-61--cv-61', number: '61/UBND-VP', issuer: 'UBND xã Pu Sam Cáp' });
    });

    it('the provider publishes a special service, by the hand of the manager', async () => {
      const manifest = {
        provider: 'H35.12',
        slug: 'doanh-nghiep',
        version: '1.0.0',
        title: 'Đăng ký doanh nghiệp',
        sharing: 'special',
        classification: 'internal',
        connector: { kind: 'http', settings: { baseUrl: source.url } },
        operations: { traCuu: { path: '/' } },
      };
      await done('cung-cap', 'POST', '/services', { manifest, document: REGISTER });
      const { id } = await done('cung-cap', 'POST', '/change-requests', {
        ...{
          kind: 'service.publish',
          service: SERVICE,
          reason: 'Công bố dịch vụ',
          document: 'h35-12--cv-12',
        },
      });
      await done('quan-ly', 'POST', `/change-requests/${id}/approve`);
      assert.equal(await code(), 'grant_required');
    });

    it('the consumer asks for three of eight fields, and is asked to change something', async () => {
      const asked = { service: SERVICE, system: 'mot-cua', ...CONTENT, perDay: 5000, until: '2025-08-31' };
      request = (await done('mot-cua', 'POST', '/sharing-requests', asked)).id;
      await step('mot-cua', 'submit', { document: 'h35-61--cv-61' });
      await step('cung-cap', 'take');
      const { items } = await done('cung-cap', 'GET', `/sharing-requests/${request}/narrowed`);
      assert.equal(items[0].fields.length, 3);
      await step('cung-cap', 'ask_changes', { reason: 'Số lượt gọi vượt nhu cầu đã nêu' });
      const inbox = await test.database.knex('notices').where({ agency: 'H35.61' });
      assert.ok(
        inbox.some(({ text_vi: text }: any) => /vượt nhu cầu/.test(text)),
        'the consumer is told why',
      );
      await done('mot-cua', 'PATCH', `/sharing-requests/${request}`, { perDay: 3, perMinute: null });
      await step('mot-cua', 'resubmit');
    });

    it('both agree, the manager approves, the tasks are done', async () => {
      await step('cung-cap', 'agree', { document: 'h35-12--cv-12', agreement: AGREEMENT });
      const { tasks } = await step('quan-ly', 'approve', { document: 'cv-01' });
      assert.equal(tasks.length, 4);
      const by: Record<string, string> = { consumer: 'mot-cua', provider: 'cung-cap', platform: 'van-hanh' };
      for (const { seq, party } of tasks)
        await done(by[party] ?? '', 'PUT', `/sharing-requests/${request}/tasks/${seq}`, { done: true });
      await step('van-hanh', 'begin_testing');
      assert.equal(await code(), 'grant_required');
    });

    it('the consumer tries it in the sandbox, the test passes, and it is active', async () => {
      const tried = await call('sandbox');
      assert.equal(tried.headers.get('lgsp-sandbox'), '?1');
      const { tests } = await done('cung-cap', 'POST', `/sharing-requests/${request}/tests`);
      assert.equal(tests[0].passed, true, JSON.stringify(tests));
      assert.equal((await step('cung-cap', 'activate')).state, 'active');
    });

    it('calls disclose exactly the three fields within the quota; the next one is refused with its trace', async () => {
      for (const left of [2, 1, 0]) {
        const answer = await call();
        const [row] = ((await answer.json()) as any).duLieu;
        assert.deepEqual(Object.keys(row), ['ma', 'ten', 'vonDieuLe']);
        assert.match(answer.headers.get('ratelimit') ?? '', new RegExp(`"quota-day";r=${left};`));
      }
      const over = await call();
      const problem = (await over.json()) as any;
      assert.equal(over.status, 429);
      assert.deepEqual(
        [problem.code, problem.stage, problem.rule.kind, problem.rule.state, problem.rule.calls],
        ['quota_exceeded', 'limit', 'grant', 'used_up', 3],
      );
      assert.ok(Number(over.headers.get('retry-after')) > 0);
      clock.move(86_400_000);
      assert.equal(await code(), 'answered');
    });

    it('the provider suspends, and the next call is refused; it is resumed, and answered', async () => {
      await step('cung-cap', 'suspend', { reason: 'Bảo trì nguồn dữ liệu', document: 'h35-12--cv-12' });
      const refused = await call();
      const problem = (await refused.json()) as any;
      assert.deepEqual([problem.code, problem.rule.by], ['grant_not_active', ['provider']]);
      const other = await send('mot-cua', 'POST', `/sharing-requests/${request}/steps`, { step: 'resume' });
      assert.equal(other.body.code, 'transition_not_allowed');
      await step('cung-cap', 'resume', { document: 'h35-12--cv-12' });
      assert.equal(await code(), 'answered');
    });

    it('its term ends, and it expires by itself', async () => {
      clock.move(Date.parse('2025-08-31T17:00:00Z') - clock.now());
      assert.equal(await code(), 'grant_expired');
      await eventually(
        async () =>
          (await done('mot-cua', 'GET', `/sharing-requests/${request}`)).state === 'expired' || undefined,
        'the request has expired',
      );
    });

    it('every step is in the log once, with the document it rests on and the digest of its file', async () => {
      const steps = await eventually(async () => {
        const found = (await allRecords(test.database)).filter(
          ({ kind, target }) =>
            kind !== 'opening' && target?.key === request && (target.after as any)?.step !== undefined,
        );
        return found.some(({ operation }) => operation === 'expireSharingRequest') ? found : undefined;
      }, 'the last record');
      const told = steps.map(({ target }) => {
        const { step: name, document } = target?.after as {
          step: string;
          document?: { number: string; sha256: string };
        };
        return [name, document?.number ?? null];
      });
      assert.deepEqual(told, [
        ['submit', '61/UBND-VP'],
        ['take', null],
        ['ask_changes', null],
        ['resubmit', null],
        ['agree', '12/STC-THTK'],
        ['approve', '01/SKHCN-VP'],
        ['begin_testing', null],
        ['activate', null],
        ['suspend', '12/STC-THTK'],
        ['resume', '12/STC-THTK'],
        ['expire', null],
      ]);
      for (const { target } of steps) {
        const { document } = target?.after as { document?: { sha256: string | null } };
        if (document !== undefined) assert.match(document.sha256 ?? '', /^[0-9a-f]{64}$/);
      }
    });
  });
}
