import { failure, serve } from './serve.js';

/** The business register as such systems answer: capitals, nested names, and a single representative that is no list. */

interface RawBusiness {
  readonly MainInformation: {
    readonly NAME: string;
    readonly ENTERPRISE_GDT_CODE: string;
    readonly ENTERPRISE_TYPE_NAME: string;
    readonly ENTERPRISE_STATUS_NAME: string;
    /** yyyyMMdd */
    readonly FOUNDING_DATE: string;
  };
  readonly HOAdress: { readonly AddressFullText: string };
  readonly Representatives: { readonly FULL_NAME: string } | readonly { readonly FULL_NAME: string }[];
}

const business = (
  code: string,
  name: string,
  type: string,
  founded: string,
  address: string,
  people: readonly string[],
): RawBusiness => ({
  MainInformation: {
    NAME: name,
    ENTERPRISE_GDT_CODE: code,
    ENTERPRISE_TYPE_NAME: type,
    ENTERPRISE_STATUS_NAME: 'Đang hoạt động',
    FOUNDING_DATE: founded,
  },
  HOAdress: { AddressFullText: address },
  Representatives:
    people.length === 1 ? { FULL_NAME: people[0] ?? '' } : people.map((person) => ({ FULL_NAME: person })),
});

/** Invented: codes that begin with nine nines, names that say so. */
const BUSINESSES: readonly RawBusiness[] = [
  business(
    '9999999991',
    'CÔNG TY TNHH MẪU CHÈ TAM ĐƯỜNG',
    'Công ty trách nhiệm hữu hạn một thành viên',
    '20200115',
    'Xã Bình Lư, tỉnh Lai Châu',
    ['Lò Ví An'],
  ),
  business(
    '9999999992',
    'CÔNG TY CỔ PHẦN MẪU DƯỢC LIỆU SÌN HỒ',
    'Công ty cổ phần',
    '20210630',
    'Xã Sìn Hồ, tỉnh Lai Châu',
    ['Tẩn Thử Bình', 'Nguyễn Dụ Chi'],
  ),
  business(
    '9999999992-001',
    'CHI NHÁNH CÔNG TY CỔ PHẦN MẪU DƯỢC LIỆU SÌN HỒ TẠI PU SAM CÁP',
    'Chi nhánh',
    '20250715',
    'Xã Pu Sam Cáp, tỉnh Lai Châu',
    ['Vàng Mẫu Hoa'],
  ),
];

serve('doanh-nghiep', ({ method, path }) => {
  const code = /^\/dkkd\/(\d{10}(?:-\d{3})?)$/.exec(path)?.[1];
  if (method !== 'GET' || code === undefined) return failure(404, 'Không có chức năng này', 404);
  const found = BUSINESSES.find((each) => each.MainInformation.ENTERPRISE_GDT_CODE === code);
  if (found === undefined) return failure(1, 'Không tìm thấy doanh nghiệp');
  return { status: 200, body: { error_code: 0, error_message: '', data: found } };
});
