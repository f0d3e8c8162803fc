import type { ClauseEntry, LegalBasisRow } from '../../store/legal-bases.js';
import { CLAUSES_491 } from './clauses-491.js';

/** A document that every installation begins with. */
export interface FirstDocument {
  readonly basis: Omit<LegalBasisRow, 'created_at' | 'updated_at'>;
  readonly clauses: readonly ClauseEntry[];
}

type Given = Pick<LegalBasisRow, 'id' | 'number' | 'title' | 'issuer' | 'kind'> & Partial<LegalBasisRow>;

const UNKNOWN = {
  issued_on: null,
  valid_from: null,
  valid_to: null,
  amended_by: null,
  replaced_by: null,
  url: null,
  note: null,
};

/** @example clause('d9.4a', …).label // 'Điều 9 khoản 4 điểm a' */
function clause(id: string, summary: string): ClauseEntry {
  const [, article, paragraph, point] = /^d(\d+)(?:\.(\d+)([a-z])?)?$/.exec(id) ?? [];
  const label = [
    `Điều ${article ?? ''}`,
    ...(paragraph === undefined ? [] : [`khoản ${paragraph}`]),
    ...(point === undefined ? [] : [`điểm ${point}`]),
  ].join(' ');
  return { id, label, summary, valid_from: null, valid_to: null };
}

function first(given: Given, clauses: readonly (readonly [string, string])[] = []): FirstDocument {
  return { basis: { ...UNKNOWN, ...given }, clauses: clauses.map(([id, text]) => clause(id, text)) };
}

const COMPARE = 'Đối chiếu với bản chính trước khi viện dẫn.';

/** The facts of the first start: what amends or replaces a document stands before it. */
export const FIRST_DOCUMENTS: readonly FirstDocument[] = [
  first(
    {
      id: '491-qd-ubnd',
      number: '491/QĐ-UBND',
      title: 'Quyết định ban hành Quy chế phối hợp trong thu thập, xử lý, phân tích dữ liệu (SOC-IOC)',
      issuer: 'Ủy ban nhân dân tỉnh Lai Châu',
      kind: 'quyet_dinh',
      issued_on: '2025-03-11',
      valid_from: '2025-03-11',
      note: 'Có hiệu lực từ ngày ký. Tên ghi theo nội dung, các điều khoản tóm tắt bằng lời của phần mềm, không trích nguyên văn.',
    },
    CLAUSES_491,
  ),
  first({
    id: '278-2025-nd-cp',
    number: '278/2025/NĐ-CP',
    title:
      'Nghị định quy định về kết nối, chia sẻ dữ liệu bắt buộc giữa các cơ quan thuộc hệ thống chính trị',
    issuer: 'Chính phủ',
    kind: 'nghi_dinh',
    issued_on: '2025-10-22',
    valid_from: '2025-10-22',
    note: COMPARE,
  }),
  first({
    id: '194-2025-nd-cp',
    number: '194/2025/NĐ-CP',
    title:
      'Nghị định về cơ sở dữ liệu quốc gia, kết nối và chia sẻ dữ liệu, dữ liệu mở phục vụ giao dịch điện tử của cơ quan nhà nước',
    issuer: 'Chính phủ',
    kind: 'nghi_dinh',
    issued_on: '2025-07-03',
    valid_from: '2025-08-19',
    note: `Sửa đổi, bãi bỏ một phần Nghị định 47/2020/NĐ-CP. ${COMPARE}`,
  }),
  first(
    {
      id: '47-2020-nd-cp',
      number: '47/2020/NĐ-CP',
      title: 'Nghị định về quản lý, kết nối và chia sẻ dữ liệu số của cơ quan nhà nước',
      issuer: 'Chính phủ',
      kind: 'nghi_dinh',
      issued_on: '2020-04-09',
      valid_from: '2020-05-25',
      valid_to: '2025-10-21',
      amended_by: '194-2025-nd-cp',
      replaced_by: '278-2025-nd-cp',
      note: COMPARE,
    },
    [
      ['d34', 'Danh mục dịch vụ chia sẻ dữ liệu mặc định.'],
      ['d35.3', 'Thời hạn tạo tài khoản kết nối, hoặc từ chối và nêu lý do (được 194/2025/NĐ-CP sửa đổi).'],
      ['d38', 'Nội dung thống nhất giữa bên cung cấp và bên khai thác dữ liệu.'],
      ['d40', 'Tài khoản kết nối.'],
      ['d43', 'Tạm dừng chia sẻ dữ liệu.'],
      ['d44', 'Chấm dứt chia sẻ dữ liệu.'],
      ['d47', 'Giải quyết vướng mắc.'],
    ],
  ),
  first({
    id: 'luat-bvbmnn-2025',
    number: '117/2025/QH15',
    title: 'Luật Bảo vệ bí mật nhà nước',
    issuer: 'Quốc hội',
    kind: 'luat',
    issued_on: '2025-12-10',
    valid_from: '2026-03-01',
    note: `Chỉ dẫn chiếu, không trích. ${COMPARE}`,
  }),
  first({
    id: 'luat-bvbmnn',
    number: '29/2018/QH14',
    title: 'Luật Bảo vệ bí mật nhà nước',
    issuer: 'Quốc hội',
    kind: 'luat',
    issued_on: '2018-11-15',
    valid_from: '2020-07-01',
    valid_to: '2026-02-28',
    replaced_by: 'luat-bvbmnn-2025',
    note: `Chỉ dẫn chiếu, không trích. Một số quy định có hiệu lực sớm hơn, từ 01/01/2019. ${COMPARE}`,
  }),
  first({
    id: '20-2020-qd-ttg',
    number: '20/2020/QĐ-TTg',
    title: 'Quyết định về mã định danh điện tử của các cơ quan, tổ chức phục vụ kết nối, chia sẻ dữ liệu',
    issuer: 'Thủ tướng Chính phủ',
    kind: 'quyet_dinh',
    note: 'Ngày ban hành (năm 2020) và ngày có hiệu lực chưa được đối chiếu nên để trống; người quản trị bổ sung.',
  }),
  first(
    {
      id: '45-2019-qh14',
      number: '45/2019/QH14',
      title: 'Bộ luật Lao động',
      issuer: 'Quốc hội',
      kind: 'luat',
      issued_on: '2019-11-20',
      valid_from: '2021-01-01',
      note: COMPARE,
    },
    [
      ['d111', 'Nghỉ hằng tuần; nghỉ bù khi ngày lễ trùng ngày nghỉ hằng tuần.'],
      ['d112', 'Các ngày nghỉ lễ, tết trong năm.'],
    ],
  ),
  first(
    {
      id: '91-2015-qh13',
      number: '91/2015/QH13',
      title: 'Bộ luật Dân sự',
      issuer: 'Quốc hội',
      kind: 'luat',
      issued_on: '2015-11-24',
      valid_from: '2017-01-01',
      note: COMPARE,
    },
    [
      ['d147', 'Thời điểm bắt đầu thời hạn: ngày xảy ra sự kiện không tính.'],
      ['d148', 'Thời điểm kết thúc thời hạn: hết ngày cuối cùng; gặp ngày nghỉ thì ngày làm việc kế tiếp.'],
    ],
  ),
];
