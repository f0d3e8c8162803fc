import assert from 'node:assert/strict';
import { HeldClock } from '../identity/held-clock.js';
import type { TestDatabase, TestEngine } from '../kit/databases.js';
import { startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addPaper, addService, addSystem, PAPER } from '../kit/province.js';
import { RegisterSource } from './register-source.js';

export const SERVICE = 'H35.12/doanh-nghiep/v1';
const FIELDS = ['ma', 'ten', 'diaChi', 'nganhNghe', 'vonDieuLe', 'nguoiDaiDien', 'soDienThoai', 'ngayCap'];

/** A register of enterprises: a list, each with eight fields, one of them an object. */
export const REGISTER = {
  openapi: '3.1.0',
  info: { title: 'Đăng ký doanh nghiệp', version: '1.0.0' },
  paths: {
    '/doanh-nghiep': {
      get: {
        operationId: 'traCuu',
        responses: {
          200: {
            description: 'Danh sách',
            content: {
              'application/json': {
                schema: {
                  type: 'object',
                  required: ['tong', 'duLieu'],
                  properties: {
                    tong: { type: 'integer' },
                    duLieu: { type: 'array', items: { $ref: '#/components/schemas/DoanhNghiep' } },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
  components: {
    schemas: {
      DoanhNghiep: {
        type: 'object',
        required: FIELDS,
        properties: {
          ...Object.fromEntries(FIELDS.map((name) => [name, { type: 'string', example: name }])),
          vonDieuLe: { type: 'number' },
          diaChi: {
            type: 'object',
            required: ['xa', 'tinh'],
            properties: { xa: { type: 'string' }, tinh: { type: 'string' } },
          },
        },
      },
    },
  },
};

/** What the source says, with a number that no double holds. */
export const ANSWER =
  '{"tong":1,"duLieu":[{"ma":"6200000001","ten":"Công ty Mẫu","diaChi":{"xa":"Pu Sam Cáp","tinh":"Lai Châu"},' +
  '"nganhNghe":"A","vonDieuLe":12345678901234567890.50,"nguoiDaiDien":"Nguyễn Văn Mẫu","soDienThoai":"0","ngayCap":"2025"}]}';

export const CONTENT = {
  purpose: 'Đối chiếu doanh nghiệp khi tiếp nhận hồ sơ',
  legalBasis: '491-qd-ubnd#d2.6',
  operations: ['traCuu'],
  fields: { traCuu: ['/duLieu/*/ma', '/duLieu/*/ten', '/duLieu/*/vonDieuLe'] },
  perDay: 5,
  perMinute: 4,
  until: '2025-09-30',
  afterUse: { storage: 'Không lưu trữ', deletion: 'Xóa ngay sau khi hiển thị' },
};

export const AGREEMENT = Object.fromEntries(
  [
    'data',
    'place',
    'term',
    'method',
    'processing',
    'conditions',
    'commitments',
    'security',
    'storage',
    'deletion',
  ].map((part) => [part, `Nội dung: ${part}`]),
);

/** Two departments, their systems in each role, a manager and an operator, and a special service. */
export class Province {
  readonly test: TestDatabase;
  readonly node: TestGateway;
  readonly clock: HeldClock;
  readonly source: RegisterSource;

  private constructor(test: TestDatabase, node: TestGateway, clock: HeldClock, source: RegisterSource) {
    this.test = test;
    this.node = node;
    this.clock = clock;
    this.source = source;
  }

  static async open(engine: TestEngine, settings: Record<string, unknown> = {}): Promise<Province> {
    const test = await engine.create();
    const { database } = test;
    for (const code of ['H35', 'H35.12', 'H35.61', 'H35.62']) await addAgency(database, code);
    await addSystem(database, 'quan-ly', 'H35', { roles: ['manager'] });
    await addSystem(database, 'van-hanh', 'H35', { roles: ['operator'] });
    await addSystem(database, 'kiem-tra', 'H35', { roles: ['auditor'] });
    await addSystem(database, 'cung-cap', 'H35.12', { roles: ['provider'] });
    await addSystem(database, 'cung-cap-hai', 'H35.12', { roles: ['provider'] });
    await addSystem(database, 'mot-cua', 'H35.61', { roles: ['consumer'] });
    await addSystem(database, 'nguoi-lap', 'H35.61', { roles: ['consumer'] });
    await addSystem(database, 'ke-la', 'H35.62', { roles: ['consumer', 'provider'] });
    for (const [code, id] of [
      ['H35', PAPER],
      ['H35.12', 'vb-12'],
      ['H35.61', 'vb-61'],
      ['H35.62', 'vb-62'],
    ] as const)
      await addPaper(database, code, id);
    const source = await RegisterSource.start(ANSWER);
    await addService(database, source.url, {
      provider: 'H35.12',
      slug: 'doanh-nghiep',
      sharing: 'special',
      document: REGISTER,
      manifest: { operations: { traCuu: { path: '/' } } },
    });
    // A Friday morning in Lai Châu.
    const clock = new HeldClock(Date.parse('2025-08-01T02:00:00Z'));
    const node = await startTestGateway(test, settings, { clock });
    return new Province(test, node, clock, source);
  }

  async api(
    client: string,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: any }> {
    const token = await this.node.token(client, 'api');
    const answer = await fetch(`${this.node.url}/api${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
  }

  /** A call that must succeed. @returns its body */
  async done(client: string, method: string, path: string, body?: unknown): Promise<any> {
    const answer = await this.api(client, method, path, body);
    assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** A call that must be refused. @returns its problem */
  async refused(code: string, client: string, method: string, path: string, body?: unknown): Promise<any> {
    const answer = await this.api(client, method, path, body);
    assert.equal(
      answer.body?.code ?? answer.status,
      code,
      `${method} ${path}: ${JSON.stringify(answer.body)}`,
    );
    return answer.body;
  }

  step(client: string, id: string, step: string, more: object = {}): Promise<any> {
    return this.done(client, 'POST', `/sharing-requests/${id}/steps`, { step, ...more });
  }

  data(client = 'mot-cua', plane = 'data'): Promise<Response> {
    return this.node.call(client, `/${plane}/${SERVICE}/doanh-nghiep`);
  }

  /** How a call ends, with a token asked for now: the clock may have been moved. */
  async code(client = 'mot-cua'): Promise<string> {
    const token = await this.node.token(client, 'data');
    const answer = await fetch(`${this.node.url}/data/${SERVICE}/doanh-nghiep`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const body = (await answer.json()) as { code?: string };
    return answer.status === 200 ? 'answered' : (body.code ?? String(answer.status));
  }

  /** Takes a request as far as this state, the straight way. @returns its id */
  async reach(state: string, content: object = {}): Promise<string> {
    const { id } = await this.done('nguoi-lap', 'POST', '/sharing-requests', {
      service: SERVICE,
      system: 'mot-cua',
      ...CONTENT,
      ...content,
    });
    const way: [string, () => Promise<unknown>][] = [
      ['submitted', () => this.step('nguoi-lap', id, 'submit', { document: 'vb-61' })],
      ['in_review', () => this.step('cung-cap', id, 'take')],
      ['agreed', () => this.step('cung-cap', id, 'agree', { document: 'vb-12', agreement: AGREEMENT })],
      ['preparing', () => this.step('quan-ly', id, 'approve', { document: PAPER })],
      ['testing', () => this.#prepare(id)],
      ['active', () => this.#activate(id)],
    ];
    for (const [reached, go] of way) {
      if (state === 'draft') break;
      await go();
      if (reached === state) break;
    }
    return id;
  }

  async #prepare(id: string): Promise<void> {
    const { tasks } = await this.done('van-hanh', 'GET', `/sharing-requests/${id}`);
    const by: Record<string, string> = { consumer: 'nguoi-lap', provider: 'cung-cap', platform: 'van-hanh' };
    for (const { seq, party } of tasks)
      await this.done(by[party] ?? '', 'PUT', `/sharing-requests/${id}/tasks/${seq}`, { done: true });
    await this.step('van-hanh', id, 'begin_testing');
  }

  async #activate(id: string): Promise<void> {
    assert.equal((await this.data('mot-cua', 'sandbox')).status, 200);
    const tested = await this.done('cung-cap', 'POST', `/sharing-requests/${id}/tests`);
    assert.equal(tested.tests.at(-1).passed, true, JSON.stringify(tested.tests.at(-1)));
    await this.step('van-hanh', id, 'activate');
  }

  async close(): Promise<void> {
    await this.node.close();
    await this.source.close();
    await this.test.drop();
  }
}
