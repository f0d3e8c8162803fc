/** A dossier as the one-stop system keeps it: every value is text, and a list of one is no list. */
export interface RawDossier {
  MaHoSo: string;
  MaTTHC: string;
  TenTTHC: string;
  MaLinhVuc: string;
  TenLinhVuc: string;
  ChuHoSo: string;
  /** "1" a person, "2" a business. */
  LoaiDoiTuong: string;
  TrichYeuHoSo: string;
  /** yyyyMMddHHmmss in Asia/Ho_Chi_Minh, as every date here; empty when there is none. */
  NgayTiepNhan: string;
  NgayHenTra: string;
  NgayKetThucXuLy: string;
  NgayTra: string;
  TrangThaiHoSo: string;
  HinhThuc: string;
  DonViXuLy: string;
  /** "True" or "False". */
  DaThuPhi: string;
  GhiChu: string;
  DanhSachLePhi: RawFee | RawFee[];
}

export interface RawFee {
  TenPhiLePhi: string;
  MaPhiLePhi: string;
  HinhThucThu: string;
  Gia: string;
  LoaiPhiLePhi: string;
}

interface Procedure {
  readonly code: string;
  readonly name: string;
  readonly field: readonly [code: string, name: string];
  readonly days: number;
  readonly fees: readonly RawFee[];
}

const fee = (code: string, name: string, price: number): RawFee => ({
  TenPhiLePhi: name,
  MaPhiLePhi: code,
  HinhThucThu: '1',
  Gia: String(price),
  LoaiPhiLePhi: '1',
});

const PROCEDURES: readonly Procedure[] = [
  {
    code: 'MAU.001',
    name: 'Đăng ký khai sinh',
    field: ['HT', 'Hộ tịch'],
    days: 1,
    fees: [fee('LP01', 'Lệ phí hộ tịch', 0)],
  },
  {
    code: 'MAU.002',
    name: 'Chứng thực bản sao từ bản chính',
    field: ['CT', 'Chứng thực'],
    days: 1,
    fees: [fee('PH02', 'Phí chứng thực', 8000), fee('PH03', 'Phí sao chụp', 2000)],
  },
  {
    code: 'MAU.003',
    name: 'Đăng ký hộ kinh doanh',
    field: ['HKD', 'Hộ kinh doanh'],
    days: 3,
    fees: [fee('LP04', 'Lệ phí đăng ký hộ kinh doanh', 100_000)],
  },
  {
    code: 'MAU.004',
    name: 'Đăng ký đất đai lần đầu',
    field: ['DD', 'Đất đai'],
    days: 20,
    fees: [fee('PH05', 'Phí thẩm định hồ sơ', 500_000), fee('LP06', 'Lệ phí cấp giấy', 50_000)],
  },
];

/** Invented names: common words put together by counting, of no real person. */
const FAMILY = ['Lò', 'Vàng', 'Giàng', 'Nguyễn', 'Tẩn', 'Phùng'];
const MIDDLE = ['Mẫu', 'Thử', 'Ví', 'Dụ'];
const GIVEN = ['An', 'Bình', 'Chi', 'Dũng', 'Giang', 'Hoa', 'Khánh'];
const UNITS = ['H35.61', 'H35.62', 'H35.63', 'H35.64', 'H35.65', 'H35.66', 'H35.67'];
export const DOSSIER_COUNT = 42;
const FIRST_DAY = Date.UTC(2025, 6, 1, 1, 0, 0);
const DAY_MS = 86_400_000;
const VN_OFFSET_MS = 7 * 3_600_000;

/** yyyyMMddHHmmss as a clock in Hà Nội shows it. */
function stamp(ms: number): string {
  return new Date(ms + VN_OFFSET_MS).toISOString().replace(/[-:T]/g, '').slice(0, 14);
}

const pick = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;

/** Of six dossiers two wait or are being handled, one lacks papers, three are done. */
const STATES = ['1', '2', '3', '4', '9', '9'];

function dossier(index: number): RawDossier {
  const procedure = pick(PROCEDURES, index);
  const unit = pick(UNITS, index);
  const received = FIRST_DAY + index * DAY_MS + index * 977_000;
  const due = received + procedure.days * DAY_MS;
  const state = pick(STATES, index);
  const owner = `${pick(FAMILY, index)} ${pick(MIDDLE, index)} ${pick(GIVEN, index)}`;
  const fees = [...procedure.fees];
  return {
    MaHoSo: `${unit}-${stamp(received).slice(2, 8)}-${String(index + 1).padStart(4, '0')}`,
    MaTTHC: procedure.code,
    TenTTHC: procedure.name,
    MaLinhVuc: procedure.field[0],
    TenLinhVuc: procedure.field[1],
    ChuHoSo: procedure.code === 'MAU.003' ? `Hộ kinh doanh ${owner}` : owner,
    LoaiDoiTuong: procedure.code === 'MAU.003' ? '2' : '1',
    TrichYeuHoSo: `${procedure.name} (hồ sơ mẫu)`,
    NgayTiepNhan: stamp(received),
    NgayHenTra: stamp(due),
    NgayKetThucXuLy: state === '4' || state === '9' ? stamp(due - 3_600_000) : '',
    NgayTra: state === '9' ? stamp(due) : '',
    TrangThaiHoSo: state,
    HinhThuc: index % 3 === 0 ? '0' : '1',
    DonViXuLy: unit,
    DaThuPhi: state === '9' ? 'True' : 'False',
    GhiChu: '',
    DanhSachLePhi: fees.length === 1 ? (fees[0] as RawFee) : fees,
  };
}

/** The same dossiers at every start. */
export function sampleDossiers(): RawDossier[] {
  return Array.from({ length: DOSSIER_COUNT }, (_, index) => dossier(index));
}
