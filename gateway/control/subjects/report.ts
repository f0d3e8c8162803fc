import { shownDay, vietnamDay } from '../../base/calendar.js';
import type { Basis } from '../../audit/subject-search.js';
import type { Access } from './accesses.js';
import type { Asked } from './asking.js';

/** Who looked how often, for what purpose. */
export interface Group {
  readonly agency: string | null;
  readonly agencyName: string | null;
  readonly purpose: string | null;
  readonly grant: string | null;
  readonly calls: number;
  readonly answered: number;
  readonly first: string;
  readonly last: string;
}

export interface Report {
  readonly title: string;
  readonly kind: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly reason: string;
  readonly madeAt: string;
  readonly total: number;
  /** Fewer than `total` where there are too many for one report: the newest. */
  readonly shown: number;
  readonly groups: readonly Group[];
  readonly accesses: readonly Access[];
  readonly basis: Omit<Basis, 'note'> | null;
  readonly statement: string;
}

const UNKNOWN_PURPOSE = 'Không qua phê duyệt';

/** By agency and purpose, those that looked most often first. */
export function groupsOf(accesses: readonly Access[]): Group[] {
  const found = new Map<string, Group>();
  for (const { agency, agencyName, grant, outcome, received } of accesses) {
    const key = JSON.stringify([agency, grant?.purpose ?? null]);
    const known = found.get(key);
    found.set(key, {
      ...{ agency, agencyName, purpose: grant?.purpose ?? null, grant: grant?.id ?? null },
      calls: (known?.calls ?? 0) + 1,
      answered: (known?.answered ?? 0) + (outcome === 'answered' ? 1 : 0),
      first: known === undefined || received < known.first ? received : known.first,
      last: known === undefined || received > known.last ? received : known.last,
    });
  }
  return [...found.values()].sort((a, b) => b.calls - a.calls || (a.last < b.last ? 1 : -1));
}

export function statementOf(basis: Basis | null): string {
  if (basis === null) return 'Nhật ký chưa có bản ghi nào.';
  return (
    `Lập từ nhật ký ${basis.origin}, căn cứ điểm kiểm tra có ${basis.treeSize} bản ghi, ` +
    `mã gốc ${basis.root}. Nhật ký chỉ giữ mã băm có khóa của số định danh; ` +
    'mỗi dòng có mã bản ghi để đối chiếu với nhật ký.'
  );
}

const TIME = new Intl.DateTimeFormat('vi-VN', {
  timeZone: 'Asia/Ho_Chi_Minh',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

/** dd/MM/yyyy HH:mm:ss in Asia/Ho_Chi_Minh. */
export function shownTime(iso: string): string {
  const ms = Date.parse(iso);
  return `${shownDay(vietnamDay(ms))} ${TIME.format(ms)}`;
}

const OUTCOMES: Readonly<Record<string, string>> = {
  answered: 'đã trả lời',
  refused: 'bị từ chối',
  failed: 'lỗi',
  aborted: 'bên gọi ngắt',
};

const outcomeOf = ({ outcome, code }: Access): string => {
  const said = OUTCOMES[outcome ?? ''] ?? '';
  return code === null ? said : `${said} (${code})`;
};

/** Line breaks in what somebody typed must not look like lines of the document. */
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

const COLUMNS: readonly (readonly [string, (one: Access) => string])[] = [
  ['Thời điểm', ({ received }) => shownTime(received)],
  ['Mã cơ quan', ({ agency }) => agency ?? ''],
  ['Cơ quan', ({ agencyName }) => agencyName ?? ''],
  ['Hệ thống', ({ system }) => system ?? ''],
  ['Cán bộ', ({ user }) => user ?? ''],
  ['Mã hồ sơ', (one) => one.case ?? ''],
  ['Mục đích', ({ grant, reason }) => grant?.purpose ?? reason ?? ''],
  ['Phê duyệt', ({ grant }) => grant?.id ?? ''],
  ['Căn cứ', ({ grant }) => grant?.legalBasis ?? ''],
  ['Bên cung cấp', ({ provider }) => provider ?? ''],
  ['Dịch vụ', ({ service }) => service ?? ''],
  ['Thao tác', ({ operation }) => operation ?? ''],
  ['Trường dữ liệu', ({ fields }) => fields?.join(' ') ?? ''],
  ['Kết quả', outcomeOf],
  ['Mã bản ghi', ({ record }) => record],
];

/** A cell that a spreadsheet would take for a formula is made a text; RFC 4180 does the rest. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** RFC 4180 with a byte order mark, for spreadsheets; the last line says what it rests on. */
export function reportAsCsv(report: Report): string {
  const lines = [
    COLUMNS.map(([name]) => cell(name)),
    ...report.accesses.map((one) => COLUMNS.map(([, of]) => cell(of(one)))),
    [cell(`Tổng số: ${report.total}; trong bảng: ${report.shown}`)],
    [cell(report.statement)],
  ];
  return `\uFEFF${lines.map((line) => line.join(',')).join('\r\n')}\r\n`;
}

function groupLines(group: Group, accesses: readonly Access[]): string[] {
  const own = accesses.filter(
    (one) => one.agency === group.agency && (one.grant?.purpose ?? null) === group.purpose,
  );
  const name = [group.agencyName, group.agency].filter((part) => part !== null).join(' – ');
  return [
    name === '' ? 'Không rõ cơ quan' : name,
    `  Mục đích: ${oneLine(group.purpose ?? UNKNOWN_PURPOSE)}`,
    `  Số lần: ${group.calls}, trong đó đã trả lời: ${group.answered}`,
    ...own.map((one) => {
      const parts = COLUMNS.filter(([label]) => !['Cơ quan', 'Mã cơ quan', 'Mục đích'].includes(label));
      const said = parts.map(([label, of]) => [label, oneLine(of(one))] as const).filter(([, v]) => v !== '');
      return `  - ${said.map(([label, value]) => `${label}: ${value}`).join('; ')}`;
    }),
    '',
  ];
}

/** A document that an official reads and prints. */
export function reportAsText(report: Report): string {
  const days = [report.from, report.to].map((time) => (time === null ? '…' : shownTime(time)));
  return `${[
    report.title.toUpperCase(),
    '',
    `Khoảng thời gian: ${days.join(' – ')}`,
    `Lý do tra cứu: ${oneLine(report.reason)}`,
    `Lập lúc: ${shownTime(report.madeAt)}`,
    `Tổng số lần truy cập: ${report.total}`,
    ...(report.shown < report.total ? [`Văn bản này liệt kê ${report.shown} lần gần nhất.`] : []),
    '',
    ...report.groups.flatMap((group) => groupLines(group, report.accesses)),
    report.statement,
  ].join('\n')}\n`;
}

export function titleOf({ identifier }: Asked): string {
  return `Truy cập dữ liệu của ${oneLine(identifier)}`;
}
