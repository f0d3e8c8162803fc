import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type DepartmentSystems, startDepartmentSystems } from '../../examples/lai-chau/systems/index.js';
import { ownModule } from '../kit/own-module.js';

const apiKeys = { 'mot-cua': 'khoa-mot-cua', 'doanh-nghiep': 'khoa-doanh-nghiep', 'thu-nghiem': 'khoa-thu' };
type Name = keyof typeof apiKeys;

describe('the department systems of the sample', () => {
  let systems: DepartmentSystems;

  before(async () => {
    systems = await startDepartmentSystems({ apiKeys });
  });
  after(async () => {
    await systems.stop();
  });

  async function ask(name: Name, path: string, init: RequestInit = {}) {
    const response = await fetch(`http://127.0.0.1:${systems.ports[name]}${path}`, {
      ...init,
      headers: { 'x-api-key': apiKeys[name], ...(init.headers as Record<string, string>) },
    });
    return { status: response.status, body: (await response.json()) as ReturnType<typeof JSON.parse> };
  }
  const post = (path: string, body: unknown) =>
    ask('mot-cua', path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });

  it('demands its key', async () => {
    for (const name of Object.keys(apiKeys) as Name[]) {
      const { status } = await ask(name, '/trang-thai', { headers: { 'x-api-key': 'sai' } });
      assert.equal(status, 401);
    }
  });

  it('speaks the raw form: compact dates, "True"/"False", error_code inside 200', async () => {
    const { status, body } = await ask('mot-cua', '/api/hoso/H35.61-250701-0001');
    assert.equal(status, 200);
    assert.equal(body.error_code, 0);
    assert.equal(body.data.NgayTiepNhan, '20250701080000');
    assert.equal(body.data.NgayTra, '');
    assert.equal(body.data.DaThuPhi, 'False');
    assert.equal(body.data.DanhSachTienDo, '');
    assert.equal(Array.isArray(body.data.DanhSachLePhi), false);
  });

  it('says that a dossier is missing inside 200', async () => {
    const { status, body } = await ask('mot-cua', '/api/hoso/khong-co');
    assert.equal(status, 200);
    assert.equal(body.error_code, 1);
  });

  const lists = [
    { query: 'SoDong=100', total: '42', kind: 'list' },
    { query: 'SoDong=1', total: '42', kind: 'one' },
    { query: 'TrangThaiHoSo=khong-co', total: '0', kind: 'empty text' },
    { query: 'TuNgay=20250811', total: '1', kind: 'one' },
  ];
  for (const { query, total, kind } of lists) {
    it(`lists ${query} as ${kind}`, async () => {
      const { body } = await ask('mot-cua', `/api/hoso?${query}`);
      assert.equal(body.TongSo, total);
      const found = Array.isArray(body.data) ? 'list' : body.data === '' ? 'empty text' : 'one';
      assert.equal(found, kind);
    });
  }

  const dossier = {
    MaHoSo: 'H35.61-250801-7777',
    MaTTHC: 'MAU.001',
    TenTTHC: 'Đăng ký khai sinh',
    ChuHoSo: 'Lò Ví Dụ',
    LoaiDoiTuong: '1',
    NgayTiepNhan: '20250801083000',
    NgayHenTra: null,
    TrangThaiHoSo: '1',
    DonViXuLy: 'H35.61',
  };
  const step = {
    MaHoSo: dossier.MaHoSo,
    NguoiXuLy: 'Vàng Thử An',
    ThoiDiemXuLy: '20250801090000',
    NoiDungXuLy: 'Kiểm tra',
    TrangThai: '2',
  };

  it('takes a dossier, refuses its double, and overwrites it when told to', async () => {
    const send = (isUpdating: string) =>
      post('/api/thongdiep', { service: 'DongBoHoSoMC', isUpdating, data: [dossier] });
    assert.equal((await send('False')).body.error_code, 0);
    assert.equal((await send('False')).body.error_code, 3);
    assert.equal((await send('True')).body.error_code, 0);
    const { body } = await ask('mot-cua', `/api/hoso/${dossier.MaHoSo}`);
    assert.equal(body.data.NgayHenTra, '');
  });

  it('keeps the progress of a dossier, alone or in a list', async () => {
    const send = () => post('/api/thongdiep', { service: 'CapNhatTienDoHoSoMC', data: step });
    await send();
    const first = await ask('mot-cua', `/api/hoso/${dossier.MaHoSo}`);
    assert.equal(first.body.data.DanhSachTienDo.NguoiXuLy, 'Vàng Thử An');
    await send();
    const second = await ask('mot-cua', `/api/hoso/${dossier.MaHoSo}`);
    assert.equal(second.body.data.DanhSachTienDo.length, 2);
  });

  const wrong: { title: string; body: unknown; status: number; code: number }[] = [
    { title: 'no JSON', body: '{', status: 400, code: 2 },
    { title: 'an unknown message', body: { service: 'Khac' }, status: 200, code: 2 },
    {
      title: 'a clean date instead of its own',
      body: { service: 'DongBoHoSoMC', data: [{ ...dossier, NgayTiepNhan: '2025-08-01T08:30:00+07:00' }] },
      status: 200,
      code: 2,
    },
    {
      title: 'progress of an unknown dossier',
      body: { service: 'CapNhatTienDoHoSoMC', data: [{ ...step, MaHoSo: 'khong-co' }] },
      status: 200,
      code: 1,
    },
  ];
  for (const { title, body, status, code } of wrong) {
    it(`refuses ${title}`, async () => {
      const reply = await post('/api/thongdiep', body);
      assert.deepEqual([reply.status, reply.body.error_code], [status, code]);
    });
  }

  it('knows a business with one representative and with several', async () => {
    const one = await ask('doanh-nghiep', '/dkkd/9999999991');
    const many = await ask('doanh-nghiep', '/dkkd/9999999992');
    const none = await ask('doanh-nghiep', '/dkkd/0000000000');
    assert.equal(one.body.data.Representatives.FULL_NAME, 'Lò Ví An');
    assert.equal(many.body.data.Representatives.length, 2);
    assert.equal(none.body.error_code, 1);
  });

  it('misbehaves on demand', async () => {
    assert.equal((await ask('thu-nghiem', '/loi')).status, 500);
    assert.equal((await ask('thu-nghiem', '/sai-cau-truc')).body.trangThai, 42);
    await assert.rejects(ask('thu-nghiem', '/cham', { signal: AbortSignal.timeout(200) }), {
      name: 'TimeoutError',
    });
  });

  it('ends when it is stopped', async () => {
    const other = await startDepartmentSystems({ apiKeys });
    await other.stop();
    for (const port of Object.values(other.ports)) await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  });

  it('ends when its parent goes away', async () => {
    const { path, execArgv } = ownModule(import.meta.url, '../../examples/lai-chau/systems/thu-nghiem');
    const child = fork(path, [], {
      execArgv: [...execArgv],
      env: { PATH: process.env['PATH'], SOURCE_API_KEY: 'khoa' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await once(child, 'message');
    const gone = once(child, 'exit');
    child.disconnect();
    assert.deepEqual(await gone, [0, null]);
  });

  it('does not start without its key', async () => {
    await assert.rejects(
      startDepartmentSystems({ apiKeys: { ...apiKeys, 'thu-nghiem': '' } }),
      /did not start/,
    );
  });
});
