import type { FoundRecord } from '../search.js';

export type RecordPages = AsyncIterable<readonly FoundRecord[]>;

/** What an export says of itself: name and value of each line. */
export type Particulars = () => readonly (readonly [name: string, value: string | number])[];

type Cell = string | number | undefined;

export interface ExportColumn {
  readonly header: string;
  /** Characters, for programs that show columns. */
  readonly width: number;
  readonly value: (record: FoundRecord) => Cell;
}

const UTC_PLUS_7_MS = 7 * 3_600_000;

/** dd/MM/yyyy HH:mm:ss in Asia/Ho_Chi_Minh. */
export function localTime(time: string | undefined): string | undefined {
  if (time === undefined) return undefined;
  const there = new Date(Date.parse(time) + UTC_PLUS_7_MS).toISOString();
  const [year, month, day] = there.slice(0, 10).split('-');
  return `${day}/${month}/${year} ${there.slice(11, 19)}`;
}

const column = (header: string, width: number, value: ExportColumn['value']): ExportColumn => ({
  header,
  width,
  value,
});

/** What a table of records shows, in the words of an auditor. */
export const EXPORT_COLUMNS: readonly ExportColumn[] = [
  column('Thứ tự trong nhật ký', 12, (r) => r.index),
  column('Thời điểm nhận (giờ Việt Nam)', 20, (r) => localTime(r.received)),
  column('Thời điểm nhận (RFC 3339)', 26, (r) => r.received),
  column('Thời điểm trả kết quả (giờ Việt Nam)', 20, (r) => localTime(r.released)),
  column('Thời điểm trả kết quả (RFC 3339)', 26, (r) => r.released),
  column('Loại bản ghi', 10, (r) => r.kind),
  column('Kênh', 8, (r) => r.plane),
  column('Cơ quan khai thác', 14, (r) => r.agency),
  column('Hệ thống khai thác', 24, (r) => r.system),
  column('Người thực hiện', 18, (r) => r.user),
  column('Số hồ sơ', 18, (r) => r.case),
  column('Địa chỉ', 16, (r) => r.address),
  column('Cơ quan cung cấp', 14, (r) => r.provider),
  column('Dịch vụ', 24, (r) => r.service),
  column('Phiên bản', 8, (r) => r.version),
  column('Thao tác', 20, (r) => r.operation),
  column('Hình thức chia sẻ', 12, (r) => r.sharing),
  column('Phê duyệt', 16, (r) => r.grant),
  column('Trường đã cung cấp', 24, (r) => r.disclosed?.join(' ')),
  column('Kết quả', 10, (r) => r.outcome),
  column('Mã lý do', 20, (r) => r.code),
  column('Mã HTTP', 8, (r) => r.status),
  column('Số byte nhận', 12, (r) => r.bytesIn),
  column('Số byte trả', 12, (r) => r.bytesOut),
  column('SHA-256 yêu cầu', 46, (r) => r.requestSha256),
  column('SHA-256 trả lời', 46, (r) => r.responseSha256),
  column('Mã vết', 34, (r) => r.trace),
  column('Loại đối tượng thay đổi', 16, (r) => r.target?.noun),
  column('Đối tượng thay đổi', 24, (r) => r.target?.key),
  column('Mã bản ghi', 38, (r) => r.id),
];

/**
 * A text that a spreadsheet takes for a text: what begins like a formula gets an apostrophe, whoever wrote it into a
 * header of a call.
 */
export function harmless(cell: Cell): Cell {
  return typeof cell === 'string' && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
}
