import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEgress } from '../../connectors/allow-list.js';
import { type Connector, SourceError } from '../../connectors/connector.js';
import { checkConnector, createConnector } from '../../connectors/registry.js';
import { buildAdministrativeUnits, buildAgencyList } from '../../examples/lai-chau/data/build.js';
import { sampleAgencies, sampleSystems } from '../../examples/lai-chau/read-yaml.js';
import { SAMPLE_FOLDER } from '../../examples/lai-chau/folder.js';
import { sampleValues } from '../../examples/lai-chau/services.js';
import { type DepartmentSystems, startDepartmentSystems } from '../../examples/lai-chau/systems/index.js';
import { exampleCalls } from '../../examples/lai-chau/calls.js';
import { createLog } from '../../gateway/base/log.js';
import { PROBLEMS } from '../../gateway/base/problem.js';
import { type Contract, compileContract } from '../../gateway/catalogue/contract.js';
import { AGENCY_CODE, type Manifest, ManifestSchema } from '../../gateway/catalogue/manifest.js';
import { TreeError } from '../../gateway/cli/substitute.js';
import { loadTree, type Tree, type TreeService } from '../../gateway/cli/tree.js';

const apiKeys = { 'mot-cua': 'khoa-mot-cua', 'doanh-nghiep': 'khoa-doanh-nghiep', 'thu-nghiem': 'khoa-thu' };

/** Answers are read by name, as a caller in any language would. */
type Json = ReturnType<typeof JSON.parse>;

interface Opened {
  readonly service: TreeService;
  readonly manifest: Manifest;
  readonly contract: Contract;
  readonly connector: Connector;
}

describe('the services of the sample', () => {
  let folder: string;
  let systems: DepartmentSystems;
  let tree: Tree;
  const opened = new Map<string, Opened>();

  const descriptionOf = (manifest: Manifest, contract: Contract) => ({
    ...manifest.connector,
    operations: manifest.operations,
    facts: [...contract.operations.values()].map(({ facts }) => facts),
    success: manifest.success,
  });
  const egress = () => createEgress({ addresses: ['127.0.0.1/32'], folders: [folder] });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lgsp-sample-'));
    const administrativeUnits = join(folder, 'dvhc.sqlite');
    const agencyList = join(folder, 'co-quan.json');
    buildAdministrativeUnits(administrativeUnits);
    buildAgencyList(agencyList);
    systems = await startDepartmentSystems({ apiKeys });
    tree = loadTree(
      SAMPLE_FOLDER,
      sampleValues({ administrativeUnits, agencyList, ports: systems.ports, apiKeys }),
    );
    for (const service of tree.services) {
      const manifest = ManifestSchema.parse(service.manifest);
      const contract = compileContract(service.document, manifest);
      const context = { egress: egress(), log: createLog('silent'), credentials: service.credentials };
      const connector = createConnector(descriptionOf(manifest, contract), context);
      opened.set(manifest.slug, { service, manifest, contract, connector });
    }
  });

  after(async () => {
    for (const { connector } of opened.values()) await connector.close();
    await systems.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A call as the corridor makes it: matched, read by the contract, forwarded, held against the contract. */
  async function call(slug: string, method: string, url: string, body?: unknown) {
    const { contract, connector, manifest } = opened.get(slug) as Opened;
    const { pathname, search } = new URL(url, 'http://gateway.invalid');
    const match = contract.match(method, pathname);
    assert.ok(match !== null && 'operation' in match, `${method} ${url} is an operation`);
    const bytes = body === undefined ? null : Buffer.from(JSON.stringify(body));
    const contentType = bytes === null ? null : 'application/json';
    const valid = match.operation.validateRequest({
      params: match.params,
      rawQuery: search.slice(1),
      headers: {},
      body: bytes,
      contentType,
    });
    const answer = await connector.call(
      {
        operationId: match.operation.id,
        method,
        path: valid.path,
        query: valid.query,
        headers: valid.headers,
        contentType,
        body: bytes,
        json: valid.json,
        caller: { agency: 'H35.61', system: 'thu', user: null, case: null },
        requestId: 'thu',
        traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
        deadline: Date.now() + 10_000,
        maxResponseBytes: manifest.responseBytes ?? 1_048_576,
      },
      new AbortController().signal,
    );
    const faults = match.operation.validateResponse({
      ...answer,
      contentType: answer.headers['content-type'] ?? null,
    });
    return { ...answer, json: JSON.parse(answer.body.toString('utf8')), faults };
  }

  it('are named as their folders', () => {
    assert.equal(opened.size, 8);
    for (const [slug, { service }] of opened) assert.equal(service.folder, join('services', slug));
  });

  it('compile whole, and their sources and bindings have no fault', async () => {
    for (const { service, manifest, contract } of opened.values()) {
      await contract.warm();
      const context = { egress: egress(), credentialNames: Object.keys(service.credentials) };
      assert.deepEqual(checkConnector(descriptionOf(manifest, contract), context), []);
    }
  });

  it('have agencies that exist and are in force as providers', () => {
    const agencies = new Map(sampleAgencies().map((agency) => [agency.code, agency]));
    for (const { manifest } of opened.values())
      assert.equal(agencies.get(manifest.provider)?.validTo, undefined, manifest.provider);
  });

  it('hold one of each form of sharing and of each state', () => {
    const manifests = [...opened.values()].map(({ manifest }) => manifest);
    assert.deepEqual(new Set(manifests.map(({ sharing }) => sharing)), new Set(['default', 'special']));
    assert.deepEqual(
      new Set(tree.services.map(({ state }) => state)),
      new Set(['published', 'suspended', 'retired']),
    );
  });

  const reads: { slug: string; url: string; status?: number; has: Record<string, unknown> }[] = [
    {
      slug: 'don-vi-hanh-chinh',
      url: '/don-vi/03532?ngay=2025-08-01',
      has: { name: 'Pu Sam Cáp', parent_code: '12', replaced_by: [] },
    },
    {
      slug: 'don-vi-hanh-chinh',
      url: '/don-vi/03532?ngay=2025-03-11',
      has: { name: 'Noong Hẻo', effective_from: null, effective_to_basis: 'ended' },
    },
    {
      slug: 'don-vi-hanh-chinh',
      url: '/don-vi?cap_tren=12&ngay=2025-08-01&gioi_han=5',
      has: { tong_so: 31 },
    },
    { slug: 'don-vi-hanh-chinh', url: '/don-vi?ten=khong%20co%20ten%20nay', has: { tong_so: 0, don_vi: [] } },
    { slug: 'danh-muc-co-quan', url: '/co-quan?cap=commune&ngay=2025-06-30', has: { tongSo: 1 } },
    { slug: 'danh-muc-co-quan', url: '/co-quan?ten=SO%20noi', has: { tongSo: 1 } },
    {
      slug: 'danh-muc-co-quan',
      url: '/co-quan/H35.41?ngay=2025-06-30',
      has: { ten: 'Ủy ban nhân dân huyện Sìn Hồ' },
    },
    { slug: 'ho-so-mot-cua', url: '/ho-so?tuNgay=2025-08-11', has: { tongSo: 1 } },
    { slug: 'ho-so-mot-cua', url: '/ho-so?tuNgay=2030-01-01', has: { tongSo: 0, hoSo: [] } },
    { slug: 'ho-so-mot-cua', url: '/ho-so?soDong=100', has: { tongSo: 42 } },
    { slug: 'ho-so-mot-cua', url: '/ho-so/H35.61-250701-0001', has: { maKetQua: 0, tienDo: [] } },
    { slug: 'ho-so-mot-cua', url: '/ho-so/H35.61-000000-0000', has: { maKetQua: 1, hoSo: undefined } },
    { slug: 'dang-ky-doanh-nghiep', url: '/doanh-nghiep/9999999992', has: { maKetQua: 0 } },
    { slug: 'dang-ky-doanh-nghiep', url: '/doanh-nghiep/9999999992-001', has: { maKetQua: 0 } },
    { slug: 'dang-ky-doanh-nghiep', url: '/doanh-nghiep/0000000000', has: { maKetQua: 1 } },
    { slug: 'thu-nghiem', url: '/trang-thai', has: { trangThai: 'san_sang' } },
  ];
  for (const { slug, url, has } of reads) {
    it(`answer ${slug}${url} as their contract says`, async () => {
      const { status, json, faults } = await call(slug, 'GET', url);
      assert.equal(status, 200);
      assert.equal(faults, null);
      for (const [name, value] of Object.entries(has)) assert.deepEqual(json[name], value, name);
    });
  }

  for (const [slug, url] of [
    ['don-vi-hanh-chinh', '/don-vi/03532?ngay=2025-06-30'],
    ['don-vi-hanh-chinh', '/don-vi/99999'],
    ['danh-muc-co-quan', '/co-quan/H35.41'],
  ] as const) {
    it(`keep 200 and the documented 404 apart: ${url}`, async () => {
      const { status, faults } = await call(slug, 'GET', url);
      assert.equal(status, url.endsWith('06-30') ? 200 : 404);
      assert.equal(faults, null);
    });
  }

  it('turn raw values into clean ones', async () => {
    const { json, success } = await call('ho-so-mot-cua', 'GET', '/ho-so/H35.61-250701-0001');
    assert.equal(success, true);
    assert.equal(json.hoSo.ngayTiepNhan, '2025-07-01T08:00:00+07:00');
    assert.equal(json.hoSo.ngayTra, null);
    assert.equal(json.hoSo.daThuPhi, false);
    assert.deepEqual(json.hoSo.lePhi, [
      { ten: 'Lệ phí hộ tịch', ma: 'LP01', hinhThucThu: '1', gia: 0, loai: '1' },
    ]);
    const business = await call('dang-ky-doanh-nghiep', 'GET', '/doanh-nghiep/9999999991');
    assert.equal(business.json.doanhNghiep.ngayThanhLap, '2020-01-15');
    assert.deepEqual(business.json.doanhNghiep.nguoiDaiDien, [{ hoTen: 'Lò Ví An' }]);
  });

  it('judge success by the rule of the service', async () => {
    assert.equal((await call('ho-so-mot-cua', 'GET', '/ho-so/H35.61-000000-0000')).success, false);
  });

  it('turn clean values into raw ones: a dossier comes back as it was sent', async () => {
    const sent = exampleCalls({ expired: '', revoked: '', elsewhere: '' }).find(({ url }) =>
      url.endsWith('/ho-so'),
    )?.body as { hoSo: [Json] };
    const written = await call('ho-so-mot-cua', 'POST', '/ho-so', sent);
    assert.deepEqual([written.json, written.faults], [{ maKetQua: 0, thongBao: '', soBanGhi: 1 }, null]);
    const { json } = await call('ho-so-mot-cua', 'GET', `/ho-so/${sent.hoSo[0].maHoSo}`);
    for (const name of ['ngayTiepNhan', 'ngayHenTra', 'daThuPhi', 'chuHoSo'])
      assert.deepEqual(json.hoSo[name], sent.hoSo[0][name], name);
    assert.equal(json.hoSo.lePhi[0].gia, 100_000);
    const again = await call('ho-so-mot-cua', 'POST', '/ho-so', { ...sent, capNhat: false });
    assert.equal(again.json.maKetQua, 3);
  });

  it('take progress in another time zone and give it back in ours', async () => {
    const path = '/ho-so/H35.61-250701-0001';
    const step = {
      nguoiXuLy: 'Lò Ví An',
      thoiDiemXuLy: '2025-07-01T02:15:00Z',
      noiDungXuLy: 'Thử',
      trangThai: '2',
    };
    const written = await call('ho-so-mot-cua', 'POST', `${path}/tien-do`, step);
    assert.deepEqual([written.json.maKetQua, written.faults], [0, null]);
    const { json, faults } = await call('ho-so-mot-cua', 'GET', path);
    assert.equal(faults, null);
    assert.equal(json.tienDo[0].thoiDiemXuLy, '2025-07-01T09:15:00+07:00');
    assert.equal(json.tienDo[0].ngayBatDau, null);
  });

  it('misbehave where they say so', async () => {
    assert.equal((await call('thu-nghiem', 'GET', '/sai-cau-truc')).faults?.[0]?.pointer, '/body/trangThai');
    assert.equal((await call('thu-nghiem', 'GET', '/loi')).status, 500);
    await assert.rejects(
      call('nguon-tat', 'GET', '/trang-thai'),
      (error) => error instanceof SourceError && error.fault === 'unreachable',
    );
  });

  it('are not read when a value is missing', () => {
    assert.throws(() => loadTree(SAMPLE_FOLDER, {}), TreeError);
  });

  it('have systems of agencies that exist, one for each role', () => {
    const codes = new Set(sampleAgencies().map(({ code }) => code));
    for (const { agency } of sampleSystems()) assert.ok(codes.has(agency), agency);
    for (const role of ['owner', 'manager', 'operator', 'provider', 'consumer', 'auditor'])
      assert.ok(
        sampleSystems().some(({ roles }) => (roles as string[]).includes(role)),
        role,
      );
    assert.deepEqual(new Set(sampleSystems().map(({ auth }) => auth)), new Set(['secret', 'key']));
  });

  it('have well-formed agencies, a parent before its children', () => {
    const seen = new Set<string>();
    for (const { code, parentCode } of sampleAgencies()) {
      assert.match(code, AGENCY_CODE);
      assert.ok(parentCode === undefined || seen.has(parentCode), code);
      assert.equal(seen.has(code), false);
      seen.add(code);
    }
  });

  describe('and the example calls', () => {
    const calls = exampleCalls({ expired: 'het-han', revoked: 'thu-hoi', elsewhere: 'noi-khac' });

    it('show every published operation', () => {
      const shown = new Set<string>();
      for (const { method, url } of calls) {
        if (!url.startsWith('/data/')) continue;
        const [, , provider, slug, , ...rest] = url.split('/');
        const path = `/${rest.join('/')}`.replace(/\?.*/, '');
        const found = opened.get(slug ?? '');
        if (found === undefined || found.manifest.provider !== provider || path.includes('%E0')) continue;
        const match = found.contract.match(method, path);
        if (match !== null && 'operation' in match) shown.add(`${slug ?? ''} ${match.operation.id}`);
      }
      const all = [...opened].flatMap(([slug, { contract }]) =>
        [...contract.operations.keys()].map((id) => `${slug} ${id}`),
      );
      assert.deepEqual([...shown].sort(), all.sort());
    });

    const inSandbox = calls.filter(({ url, expect }) => url.startsWith('/sandbox/') && expect.code === null);

    it('try each form of sharing in the sandbox', () => {
      const forms = inSandbox.map(({ url }) => opened.get(url.split('/')[3] ?? '')?.manifest.sharing);
      assert.deepEqual(new Set(forms), new Set(['default', 'special']));
    });

    for (const { title, method, url, headers, expect } of inSandbox) {
      it(`are answered by the document: ${title}`, () => {
        const [, , , slug = '', , ...rest] = url.replace(/\?.*/, '').split('/');
        const match = opened.get(slug)?.contract.match(method, `/${rest.join('/')}`);
        assert.ok(match !== null && match !== undefined && 'operation' in match);
        const example = headers['prefer']?.replace('example=', '') ?? null;
        const { status, body } = match.operation.sampleAnswer({ status: null, example, accept: undefined });
        assert.equal(status, expect.status);
        assert.ok(body.toString().includes(expect.contains ?? ''), body.toString());
      });
    }

    it('show every refusal that the sample promises, under its own status', () => {
      const codes = new Set(calls.flatMap(({ expect }) => expect.code ?? []));
      for (const { expect } of calls)
        if (expect.code !== null) assert.equal(expect.status, PROBLEMS[expect.code].status, expect.code);
      for (const code of [
        ...['request_invalid', 'request_malformed', 'token_missing', 'token_invalid', 'token_expired'],
        ...['client_locked', 'client_revoked', 'agency_inactive', 'grant_required', 'role_required'],
        ...['service_not_found', 'operation_not_found', 'method_not_allowed', 'not_acceptable'],
        ...['service_retired', 'service_suspended', 'body_too_large', 'media_type_unsupported'],
        ...['grant_not_active', 'grant_expired', 'operation_not_granted', 'quota_exceeded'],
        ...['rate_limited', 'response_invalid', 'source_failed', 'source_timeout', 'source_unreachable'],
      ])
        assert.ok((codes as Set<string>).has(code), code);
    });

    it('name only clients that exist', () => {
      const ids = new Set(sampleSystems().map(({ id }) => id));
      for (const { client, title } of calls) assert.ok(client === null || ids.has(client), title);
    });
  });
});
