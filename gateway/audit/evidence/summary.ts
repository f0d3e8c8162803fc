import { localTime } from '../export/columns.js';
import type { Checkpoint } from '../checkpoint.js';
import type { Manifest } from './format.js';
import { oneLine, type Tally, tallyLines } from './tally.js';

const HOW = [
  'CÁCH KIỂM CHỨNG (không cần mạng, không cần cơ sở dữ liệu)',
  '  lgsp audit verify --bundle <tệp này> --key <khóa của nhật ký>',
  'Khóa phải lấy từ nguồn tin cậy (đã công bố hoặc đã lưu từ trước), không lấy từ trong gói này.',
  'Định dạng đủ để tự viết chương trình kiểm chứng: docs/log.md, mục «Evidence bundles».',
  'Gói chứng minh từng bản ghi có trong nhật ký đã ký và không bị sửa; không chứng minh đã đủ mọi bản ghi',
  'theo điều kiện. Bản ghi đóng của lượt trích xuất có số bản ghi và SHA-256 của cả tệp để đối chiếu.',
  'Các dòng tóm tắt ở đây chỉ để đọc; căn cứ là records.jsonl sau khi kiểm chứng.',
];

function scopeText({ provider, agency }: Manifest['scope']): string {
  if (typeof provider === 'string') return `lượt gọi các dịch vụ của ${provider}`;
  return typeof agency === 'string' ? `lượt gọi của các hệ thống thuộc ${agency}` : 'toàn bộ nhật ký';
}

/** `TOM-TAT.txt`: who made it, what is in it, and how it is verified. */
export function summaryText(
  { made, maker, scope, filters, cut }: Pick<Manifest, 'made' | 'maker' | 'scope' | 'filters' | 'cut'>,
  tally: Tally,
  { origin, size, root }: Checkpoint,
): string {
  const asked = Object.entries(filters).map(([name, value]) => `  ${name} = ${oneLine(String(value))}`);
  return [
    'GÓI BẰNG CHỨNG TRÍCH TỪ NHẬT KÝ NỀN TẢNG CHIA SẺ DỮ LIỆU',
    '',
    `Người trích xuất: ${oneLine(maker.name)}`,
    `Cơ quan: ${oneLine(maker.agency)}`,
    `Thời điểm (giờ Việt Nam): ${localTime(made) ?? ''} (${made})`,
    `Phạm vi được xem: ${scopeText(scope)}`,
    'Điều kiện:',
    ...(asked.length === 0 ? ['  (không)'] : asked),
    ...(cut ? ['CHÚ Ý: còn bản ghi ngoài giới hạn của một lần trích xuất.'] : []),
    '',
    ...tallyLines(tally),
    '',
    `Nhật ký: ${origin}`,
    `Số bản ghi của nhật ký lúc trích xuất: ${size}`,
    `Gốc của cây (SHA-256, base64): ${root.toString('base64')}`,
    '',
    ...HOW,
    '',
  ].join('\n');
}
