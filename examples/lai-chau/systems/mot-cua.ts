import { z } from 'zod';
import { type RawDossier, sampleDossiers } from './dossiers.js';
import { failure, serve, type SourceReply, type SourceRequest } from './serve.js';

/**
 * The one-stop system of the administrative service centre, as such systems speak: unaccented Vietnamese names,
 * dates as yyyyMMddHHmmss, "True"/"False", one-or-many, and failure as `error_code` inside HTTP 200.
 */

const MAX_DOSSIERS = 2000;
const MAX_STEPS = 100;

const moment = z.string().regex(/^\d{14}$/);
const maybeMoment = z.preprocess((value) => value ?? '', z.union([moment, z.literal('')]));
const oneOrList = <T extends z.ZodType>(item: T) =>
  z.preprocess((value): unknown => (Array.isArray(value) ? value : [value]), z.array(item).min(1).max(100));
const flag = z.enum(['True', 'False']).default('False');

const Fee = z.object({
  TenPhiLePhi: z.string(),
  MaPhiLePhi: z.string(),
  HinhThucThu: z.string().default('1'),
  Gia: z.coerce.string(),
  LoaiPhiLePhi: z.string().default('1'),
});

const Dossier = z.object({
  MaHoSo: z.string().min(1).max(64),
  MaTTHC: z.string(),
  TenTTHC: z.string(),
  MaLinhVuc: z.string().default(''),
  TenLinhVuc: z.string().default(''),
  ChuHoSo: z.string(),
  LoaiDoiTuong: z.string(),
  TrichYeuHoSo: z.string().default(''),
  NgayTiepNhan: moment,
  NgayHenTra: maybeMoment,
  NgayKetThucXuLy: maybeMoment,
  NgayTra: maybeMoment,
  TrangThaiHoSo: z.string(),
  HinhThuc: z.string().default('1'),
  DonViXuLy: z.string(),
  DaThuPhi: flag,
  GhiChu: z.string().default(''),
  DanhSachLePhi: z.union([Fee, z.array(Fee)]).default([]),
});

const Step = z.object({
  MaHoSo: z.string().min(1).max(64),
  NguoiXuLy: z.string(),
  ChucDanh: z.string().default(''),
  ThoiDiemXuLy: moment,
  PhongBanXuLy: z.string().default(''),
  NoiDungXuLy: z.string(),
  TrangThai: z.string(),
  NgayBatDau: maybeMoment,
  NgayKetThucTheoQuyDinh: maybeMoment,
});

const Message = z.discriminatedUnion('service', [
  z.object({ service: z.literal('DongBoHoSoMC'), isUpdating: flag, data: oneOrList(Dossier) }),
  z.object({ service: z.literal('CapNhatTienDoHoSoMC'), data: oneOrList(Step) }),
]);

type RawStep = z.infer<typeof Step>;

const dossiers = new Map<string, RawDossier>(sampleDossiers().map((one) => [one.MaHoSo, one]));
const progress = new Map<string, RawStep[]>();

/** Several as a list, one as itself, none as empty text. */
const oneOrMany = <T>(list: readonly T[]): readonly T[] | T | '' =>
  list.length > 1 ? list : (list[0] ?? '');

const done = (body: Record<string, unknown>): SourceReply => ({
  status: 200,
  body: { error_code: 0, error_message: '', ...body },
});

function one(id: string): SourceReply {
  const found = dossiers.get(id);
  if (found === undefined) return failure(1, 'Không tìm thấy hồ sơ');
  return done({ data: { ...found, DanhSachTienDo: oneOrMany(progress.get(id) ?? []) } });
}

function list({ query }: SourceRequest): SourceReply {
  const state = query.get('TrangThaiHoSo');
  const since = query.get('TuNgay');
  const page = Math.max(1, Number(query.get('Trang') ?? '1'));
  const size = Math.min(100, Math.max(1, Number(query.get('SoDong') ?? '20')));
  const found = [...dossiers.values()]
    .filter((each) => state === null || state === '' || each.TrangThaiHoSo === state)
    .filter((each) => since === null || since === '' || each.NgayTiepNhan.slice(0, 8) >= since)
    .sort((a, b) => a.NgayTiepNhan.localeCompare(b.NgayTiepNhan));
  const rows = found.slice((page - 1) * size, page * size);
  return done({ TongSo: String(found.length), data: oneOrMany(rows) });
}

function synchronise(rows: readonly RawDossier[], updating: boolean): SourceReply {
  if (!updating && rows.some((row) => dossiers.has(row.MaHoSo))) return failure(3, 'Hồ sơ đã tồn tại');
  if (dossiers.size + rows.length > MAX_DOSSIERS) return failure(9, 'Kho hồ sơ mẫu đã đầy');
  for (const row of rows) dossiers.set(row.MaHoSo, row);
  return done({ SoBanGhi: String(rows.length) });
}

function advance(steps: readonly RawStep[]): SourceReply {
  if (steps.some((step) => !dossiers.has(step.MaHoSo))) return failure(1, 'Không tìm thấy hồ sơ');
  for (const step of steps)
    progress.set(step.MaHoSo, [...(progress.get(step.MaHoSo) ?? []), step].slice(-MAX_STEPS));
  return done({ SoBanGhi: String(steps.length) });
}

function receive(body: unknown): SourceReply {
  const message = Message.safeParse(body);
  if (!message.success) return failure(2, 'Thông điệp sai cấu trúc');
  return message.data.service === 'DongBoHoSoMC'
    ? synchronise(message.data.data, message.data.isUpdating === 'True')
    : advance(message.data.data);
}

serve('mot-cua', (request) => {
  const { method, path } = request;
  if (method === 'GET' && path === '/api/hoso') return list(request);
  const id = /^\/api\/hoso\/([^/]+)$/.exec(path)?.[1];
  if (method === 'GET' && id !== undefined) return one(id);
  if (method === 'POST' && path === '/api/thongdiep') return receive(request.body);
  return failure(404, 'Không có chức năng này', 404);
});
