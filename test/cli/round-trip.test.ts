import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { type HttpApi, httpApi } from '../../gateway/cli/api.js';
import { applyTree, loadTree, type MadeCredential } from '../../gateway/cli/apply.js';
import { isOfSystem, proofOf } from '../../gateway/cli/credential-file.js';
import { exportTree, writeFiles } from '../../gateway/cli/export.js';
import { makeIdentity } from '../kit/certificates.js';
import { engines, type TestDatabase, type TestEngine } from '../kit/databases.js';
import { startTestGateway, type TestGateway } from '../kit/gateway.js';
import { AGREEMENT, ANSWER, CONTENT, REGISTER, SERVICE } from '../sharing/province.js';
import { RegisterSource } from '../sharing/register-source.js';
import { folderWith } from './folder.js';

const DEFAULT = 'H35.12/mac-dinh/v1';
const OLD = 'H35.12/cu/v1';
const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const identity = makeIdentity('chung-thu');
const jwk = () => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
  ...{ use: 'sig', kid: crypto.randomUUID() },
});

const paper = (id: string, more: object = {}) => ({
  ...{ id, number: `${id}/CV`, kind: 'written_request', issuedOn: '2025-07-01' },
  ...{ issuer: 'Cơ quan mẫu', signatory: 'Lò Văn Mẫu' },
  ...more,
});
const system = (id: string, agency: string, role: string, more: object = {}) => ({
  ...{ id, agency, name: `Hệ thống ${id}`, roles: [role], document: 'cv-01' },
  ...('credentials' in more ? {} : { auth: 'secret' }),
  ...more,
});
const ASKING = ['xin-1', 'xin-2', 'xin-3', 'xin-4', 'xin-5', 'xin-6', 'xin-7', 'xin-8', 'xin-9'];
const request = (of: string, state: string, more: object = {}) => ({
  ...{ service: SERVICE, system: of, state, by: { consumer: of, provider: 'cung-cap' } },
  ...CONTENT,
  ...{ until: day(30), agreement: AGREEMENT, tryCalls: ['/doanh-nghiep'] },
  documents: { consumer: 'h35-61--cv-61', provider: 'h35-12--cv-12', manager: 'cv-01' },
  ...more,
});
const service = (sourceUrl: string, slug: string, sharing: string) => ({
  [`services/${slug}/manifest.yaml`]: stringify({
    ...{ provider: 'H35.12', slug, version: '1.0.0', title: slug, sharing, classification: 'internal' },
    ...{ operations: { traCuu: { path: '/' } } },
    connector: { kind: 'http', settings: { baseUrl: sourceUrl } },
  }),
  [`services/${slug}/openapi.yaml`]: JSON.stringify(REGISTER),
});
const held = (side: string, document?: string) => ({
  [side]: { reason: `tạm dừng bởi ${side}`, ...(document === undefined ? {} : { document }) },
});

/** A province with one of everything that files can say. */
const province = (sourceUrl: string): Record<string, string | Buffer> => ({
  'legal-bases.yaml': stringify([
    {
      id: 'qd-mau',
      number: '1/QĐ',
      title: 'Mẫu',
      issuer: 'UBND',
      kind: 'quyet_dinh',
      validFrom: '2025-01-01',
    },
  ]),
  'calendar.yaml': stringify([{ day: '2027-01-01', kind: 'holiday', name: 'Tết Dương lịch' }]),
  'documents.yaml': stringify([
    paper('cv-01', { file: 'cong-van.pdf' }),
    paper('h35-12--cv-12', { by: 'cung-cap' }),
    paper('h35-61--cv-61', { by: 'xin-1', summary: 'Đề nghị' }),
    paper('cv-vh', { by: 'van-hanh' }),
  ]),
  'documents/cong-van.pdf': Buffer.from('%PDF-1.7 mẫu'),
  'certificates/chung-thu.pem': identity.cert,
  'agencies.yaml': stringify(
    ['H35.10', 'H35.12', 'H35.61'].map((code) => ({
      ...{ code, name: code, level: 'department', validFrom: '2025-07-01' },
      ...(code === 'H35.10' ? {} : { document: 'cv-01' }),
    })),
  ),
  'systems.yaml': stringify([
    // Rests on what another system enters.
    system('bi-khoa', 'H35.61', 'consumer', { document: 'cv-vh', state: 'locked', reason: 'lộ mã' }),
    system('cung-cap', 'H35.12', 'provider'),
    system('van-hanh', 'H35.10', 'operator'),
    ...ASKING.map((id) => system(id, 'H35.61', 'consumer')),
    system('chung-thu', 'H35.61', 'consumer', {
      credentials: [{ kind: 'certificate', file: 'chung-thu.pem' }],
      ...{ requireBoundTokens: true, addresses: ['10.20.0.0/16'], hours: HOURS, validTo: day(400) },
    }),
    system('hai-khoa', 'H35.61', 'consumer', {
      credentials: [
        { kind: 'key', jwk: jwk() },
        { kind: 'key', jwk: jwk() },
      ],
      limit: { calls: 9, seconds: 60 },
    }),
  ]),
  'people.yaml': stringify([
    {
      id: 'le.thi.mau',
      agency: 'H35',
      name: 'Lê Thị Mẫu',
      roles: ['provider'],
      document: 'cv-vh',
      validTo: day(300),
    },
  ]),
  'channels.yaml': stringify([
    { id: 'van-thu', agency: 'H35.12', kind: 'webhook', target: 'https://127.0.0.1:9/', active: false },
  ]),
  ...service(sourceUrl, 'doanh-nghiep', 'special'),
  ...service(sourceUrl, 'mac-dinh', 'default'),
  ...service(sourceUrl, 'cu', 'default'),
  'service-states.yaml': stringify([
    { service: 'mac-dinh', state: 'published', sunsetOn: day(300), successor: OLD, reason: 'thay thế' },
    { service: 'cu', state: 'suspended', reason: 'bảo trì' },
  ]),
  'subscriptions.yaml': stringify([
    { service: DEFAULT, system: 'xin-1', by: 'xin-1', purpose: 'Tra cứu' },
    { service: DEFAULT, system: 'bi-khoa', by: 'bi-khoa', purpose: 'Tra cứu' },
    { service: OLD, system: 'xin-1', by: 'xin-1', purpose: 'Tra cứu cũ' },
    {
      ...{ service: DEFAULT, system: 'xin-2', purpose: 'Tra cứu', state: 'suspended' },
      by: { consumer: 'xin-2', provider: 'cung-cap' },
      suspended: held('provider', 'h35-12--cv-12'),
    },
  ]),
  'sharing-requests.yaml': stringify([
    request('xin-1', 'active', { quota: { perDay: 3, perMinute: 2 } }),
    request('xin-2', 'suspended', { suspended: held('consumer', 'h35-61--cv-61') }),
    request('xin-3', 'suspended', { reason: 'tạm dừng bởi provider' }),
    request('xin-4', 'suspended', { suspended: { ...held('provider'), ...held('platform', 'cv-01') } }),
    request('xin-5', 'active'),
    request('xin-6', 'needs_changes', { reason: 'thiếu trường', document: 'h35-12--cv-12' }),
    request('xin-7', 'refused', { reason: 'ngoài phạm vi', refusalBasis: '491-qd-ubnd#d2.6' }),
    request('xin-8', 'terminated', { reason: 'hết nhu cầu', endedBy: 'provider', document: 'h35-12--cv-12' }),
    request('xin-9', 'testing'),
  ]),
});

/** A fresh gateway, with whatever credentials were made on it. */
class Fresh {
  readonly test: TestDatabase;
  readonly node: TestGateway;
  readonly made: MadeCredential[] = [];
  readonly admin: HttpApi;

  private constructor(test: TestDatabase, node: TestGateway) {
    this.test = test;
    this.node = node;
    const { clientId, secret } = JSON.parse(readFileSync(join(test.dataDir, 'admin.json'), 'utf8'));
    this.admin = httpApi({ url: node.url, clientId, proof: { kind: 'secret', secret } });
  }

  static async start(engine: TestEngine): Promise<Fresh> {
    const test = await engine.create({ migrated: false });
    return new Fresh(test, await startTestGateway(test, { sharing: { defaultSharing: 'subscribe' } }));
  }

  readonly #clients = new Map<string, HttpApi>();

  actAs(clientId: string): HttpApi | undefined {
    const known = this.#clients.get(clientId);
    if (known !== undefined) return known;
    const credential = this.made.filter(isOfSystem).find(({ id }) => id === clientId);
    if (credential === undefined) return undefined;
    const api = httpApi({ url: this.node.url, clientId, proof: proofOf(credential) });
    this.#clients.set(clientId, api);
    return api;
  }

  async apply(folder: string) {
    const { rows } = await applyTree(
      {
        api: this.admin,
        tree: loadTree(folder, { CHANNEL_VAN_THU_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}` }),
      },
      { actAs: (id) => this.actAs(id), onCredential: (one) => this.made.push(one) },
    );
    return rows;
  }

  /** What must succeed. */
  async done(client: string | null, method: string, path: string, body?: unknown): Promise<any> {
    const api = client === null ? this.admin : this.actAs(client);
    const answer = await api?.request(method, path, body);
    assert.ok(
      answer !== undefined && answer.status < 300,
      `${method} ${path}: ${answer?.text ?? client ?? ''}`,
    );
    return answer.body;
  }

  async close(): Promise<void> {
    await this.node.close();
    await this.test.drop();
  }
}

/** More and longer for a grant that is at work, asked for, agreed on and approved. */
async function amend(on: Fresh, of: string): Promise<void> {
  const { items } = await on.done(null, 'GET', `/grants?system=${of}`);
  const wanted = { perDay: 50, until: day(60), document: 'h35-61--cv-61', reason: 'cần thêm lượt' };
  const { id } = await on.done(of, 'POST', `/grants/${items[0].id}/amendments`, wanted);
  const step = (client: string | null, name: string, more: object = {}) =>
    on.done(client, 'POST', `/sharing-requests/${id}/steps`, { step: name, ...more });
  await step('cung-cap', 'take');
  await step('cung-cap', 'agree', { document: 'h35-12--cv-12', agreement: AGREEMENT });
  await step(null, 'approve', { document: 'cv-01' });
}

const HOURS = { days: [1, 2, 3, 4, 5], from: '07:00', to: '18:00' };

for (const engine of engines) {
  describe(`a province as files, there and back, on ${engine.name}`, function () {
    this.timeout(600_000);
    let source: RegisterSource;
    let old: Fresh;
    let fresh: Fresh;
    let folder: ReturnType<typeof folderWith>;
    let files: Readonly<Record<string, string | Buffer>>;
    const found = (name: string, all = files): any[] => parse(String(all[name]));

    before(async () => {
      source = await RegisterSource.start(ANSWER);
      old = await Fresh.start(engine);
      fresh = await Fresh.start(engine);
      folder = folderWith(province(source.url));
      await old.apply(folder.path);
      await amend(old, 'xin-5');
      files = await exportTree(old.admin);
    });
    after(async () => {
      await old.close();
      await fresh.close();
      await source.close();
      folder.drop();
    });

    it('says each subscription with its state, and who suspended it on what', () => {
      const said = found('subscriptions.yaml').map(({ service: of, system: who, state, by, suspended }) => [
        ...[of, who, state, by, suspended],
      ]);
      assert.deepEqual(
        said.sort((a, b) => `${a[0]}${a[1]}`.localeCompare(`${b[0]}${b[1]}`)),
        [
          [OLD, 'xin-1', 'active', 'xin-1', undefined],
          [DEFAULT, 'bi-khoa', 'active', 'bi-khoa', undefined],
          [DEFAULT, 'xin-1', 'active', 'xin-1', undefined],
          [
            ...[DEFAULT, 'xin-2', 'suspended'],
            ...[{ consumer: 'xin-2', provider: 'cung-cap' }, held('provider', 'h35-12--cv-12')],
          ],
        ],
      );
    });

    it('says each request as it stands: an amended one by what amended it, a lowered quota, each suspension', () => {
      const by = new Map(found('sharing-requests.yaml').map((entry) => [entry.system, entry]));
      assert.deepEqual([...by.keys()].sort(), ASKING);
      const { state, perDay, until } = by.get('xin-5');
      assert.deepEqual([state, perDay, until], ['active', 50, day(60)]);
      assert.deepEqual(by.get('xin-1').quota, { perDay: 3, perMinute: 2 });
      assert.deepEqual(by.get('xin-2').suspended, held('consumer', 'h35-61--cv-61'));
      assert.deepEqual(by.get('xin-3').suspended, held('provider', 'h35-12--cv-12'));
      assert.deepEqual(by.get('xin-4').suspended, {
        ...held('provider'),
        ...held('platform', 'cv-01'),
      });
      assert.deepEqual([by.get('xin-8').endedBy, by.get('xin-8').document], ['provider', 'h35-12--cv-12']);
    });

    it('says whose each document is, and no secret', () => {
      const makers = found('documents.yaml').map(({ id, by }) => [id, by]);
      assert.deepEqual(makers, [
        ['cv-01', undefined],
        ['cv-vh', 'van-hanh'],
        ['h35-12--cv-12', 'cung-cap'],
        ['h35-61--cv-61', 'xin-1'],
      ]);
      const text = JSON.stringify(files);
      for (const one of old.made) if ('secret' in one) assert.ok(!text.includes(one.secret), one.id);
    });

    it('changes nothing where it came from', async () => {
      const again = folderWith({});
      writeFiles(again.path, files, true);
      const changed = (await old.apply(again.path)).filter(({ action }) => action !== 'unchanged');
      again.drop();
      assert.deepEqual(changed, []);
    });

    it('makes a fresh gateway say the same', async () => {
      const out = folderWith({ 'certificates/chung-thu.pem': identity.cert });
      writeFiles(out.path, files, true);
      await fresh.apply(out.path);
      out.drop();
      const again = await exportTree(fresh.admin);
      assert.deepEqual(Object.keys(again).sort(), Object.keys(files).sort());
      for (const [name, content] of Object.entries(files))
        assert.deepEqual(
          Buffer.isBuffer(content) ? again[name] : parse(String(again[name])),
          Buffer.isBuffer(content) ? content : parse(content),
          name,
        );
    });
  });
}
