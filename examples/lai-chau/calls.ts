import {
  AUDITOR,
  CLOSED_DISTRICT,
  CO_QUAN,
  DOANH_NGHIEP,
  DON_VI,
  HET_HAN,
  HET_HAN_MUC,
  HO_SO,
  IOC,
  LOCKED,
  MOT_CUA,
  PU_SAM_CAP,
  TAI_CHINH,
  TAM_DUNG,
  THU_NGHIEM,
  WITHOUT_CALLS,
  answered,
  bearer,
  json,
  refused,
  type SampleCall,
} from './sample-call.js';

/** Access tokens that no script can get for itself; each has to stay what it is as long as the sample runs. */
export interface SampleTokens {
  /** Rightly signed, for an active client, and past its time. */
  readonly expired: string;
  /** Of a client that was revoked after the token had been issued; it gets no new one. */
  readonly revoked: string;
  /** Of a system that may only call from an address that is not the caller's; it gets no token from here. */
  readonly elsewhere: string;
}

const DOSSIER = {
  capNhat: true,
  hoSo: [
    {
      maHoSo: 'H35.61-250801-9001',
      maTTHC: 'MAU.003',
      tenTTHC: 'Đăng ký hộ kinh doanh',
      maLinhVuc: 'HKD',
      tenLinhVuc: 'Hộ kinh doanh',
      chuHoSo: 'Hộ kinh doanh Vàng Ví Dụ',
      loaiDoiTuong: '2',
      trichYeu: 'Đăng ký hộ kinh doanh (hồ sơ mẫu)',
      ngayTiepNhan: '2025-08-01T08:30:00+07:00',
      ngayHenTra: '2025-08-06T17:00:00+07:00',
      trangThai: '1',
      hinhThuc: '1',
      donViXuLy: 'H35.61',
      daThuPhi: true,
      lePhi: [{ ten: 'Lệ phí đăng ký hộ kinh doanh', ma: 'LP04', gia: 100_000 }],
    },
  ],
};

const STEP = {
  nguoiXuLy: 'Giàng Thử Bình',
  chucDanh: 'Công chức tư pháp - hộ tịch',
  thoiDiemXuLy: '2025-07-01T09:15:00+07:00',
  phongBanXuLy: 'Bộ phận một cửa',
  noiDungXuLy: 'Kiểm tra thành phần hồ sơ',
  trangThai: '2',
};

function answersOfLists(): SampleCall[] {
  return [
    answered('Mã 03532 ngày 01/08/2025 là xã Pu Sam Cáp', IOC, PU_SAM_CAP, 'Pu Sam Cáp'),
    answered('Kèm biên nhận của bản ghi (tiêu đề Lgsp-Receipt)', IOC, PU_SAM_CAP, 'Pu Sam Cáp', {
      headers: { 'want-receipt': '?1' },
    }),
    answered(
      'Mã 03532 ngày 11/03/2025 là xã Noong Hẻo',
      MOT_CUA,
      `${DON_VI}/don-vi/03532?ngay=2025-03-11`,
      'Noong Hẻo',
    ),
    answered(
      'Tìm đơn vị theo tên không dấu',
      IOC,
      `${DON_VI}/don-vi?ten=pu%20sam%20cap&ngay=2025-08-01`,
      'Pu Sam Cáp',
    ),
    answered(
      'Các xã, phường của tỉnh Lai Châu ngày 01/08/2025',
      TAI_CHINH,
      `${DON_VI}/don-vi?cap_tren=12&ngay=2025-08-01&gioi_han=5`,
      '"tong_so":31',
    ),
    answered('Tìm cơ quan theo tên không dấu', IOC, `${CO_QUAN}/co-quan?ten=so%20noi%20vu`, 'Sở Nội vụ'),
    answered(
      'Cơ quan đã đóng, xem vào ngày còn hiệu lực',
      IOC,
      `${CO_QUAN}/co-quan/H35.41?ngay=2025-06-30`,
      'Ủy ban nhân dân huyện Sìn Hồ',
    ),
  ];
}

function answersOfSystems(): SampleCall[] {
  return [
    answered(
      'Hồ sơ tiếp nhận từ ngày 15/07/2025',
      IOC,
      `${HO_SO}/ho-so?trangThai=2&tuNgay=2025-07-15`,
      '"tongSo":',
    ),
    answered(
      'Một hồ sơ và tiến độ xử lý',
      MOT_CUA,
      `${HO_SO}/ho-so/H35.61-250701-0001`,
      '2025-07-01T08:00:00+07:00',
      { headers: { 'lgsp-user': 'CB-0001', 'lgsp-case': 'H35.61-250701-0001' } },
    ),
    answered(
      'Hồ sơ không có: hệ thống một cửa báo trong nội dung trả về',
      MOT_CUA,
      `${HO_SO}/ho-so/H35.61-000000-0000`,
      '"maKetQua":1',
    ),
    answered('Đồng bộ hồ sơ', MOT_CUA, `${HO_SO}/ho-so`, '"maKetQua":0', json(DOSSIER)),
    answered(
      'Cập nhật tiến độ hồ sơ',
      MOT_CUA,
      `${HO_SO}/ho-so/H35.61-250701-0001/tien-do`,
      '"maKetQua":0',
      json(STEP),
    ),
    answered('Nguồn trả lời bình thường', MOT_CUA, `${THU_NGHIEM}/trang-thai`, 'san_sang'),
    answered(
      'Gửi nội dung',
      MOT_CUA,
      `${THU_NGHIEM}/noi-dung`,
      '"daNhan":true',
      json({ noiDung: 'Xin chào' }),
    ),
  ];
}

function wrongRequests(): SampleCall[] {
  const long = 'x'.repeat(24_000);
  return [
    refused('Ngày không có trong lịch', IOC, `${DON_VI}/don-vi/03532?ngay=2025-02-30`, [
      400,
      'request_invalid',
    ]),
    refused(
      'Hồ sơ thiếu trường bắt buộc',
      MOT_CUA,
      `${HO_SO}/ho-so`,
      [400, 'request_invalid'],
      json({ hoSo: [{}] }),
    ),
    refused('Đường dẫn mã hóa sai', IOC, `${DON_VI}/don-vi/%E0%A4%A`, [400, 'request_malformed']),
    refused('Không có dịch vụ này', IOC, '/data/H35.11/khong-co/v1/don-vi', [404, 'service_not_found']),
    refused('Dịch vụ không có thao tác này', IOC, `${DON_VI}/khong-co`, [404, 'operation_not_found']),
    refused('Phương thức không được hỗ trợ', IOC, `${DON_VI}/don-vi`, [405, 'method_not_allowed'], {
      method: 'DELETE',
    }),
    refused('Đòi XML khi dịch vụ chỉ có JSON', IOC, PU_SAM_CAP, [406, 'not_acceptable'], {
      headers: { accept: 'application/xml' },
    }),
    refused(
      'Nội dung quá lớn',
      MOT_CUA,
      `${THU_NGHIEM}/noi-dung`,
      [413, 'body_too_large'],
      json({ noiDung: long }),
    ),
    refused('Gửi XML khi dịch vụ chỉ nhận JSON', MOT_CUA, `${HO_SO}/ho-so`, [415, 'media_type_unsupported'], {
      method: 'POST',
      headers: { 'content-type': 'application/xml' },
      body: '<hoSo/>',
    }),
  ];
}

/** A grant lets three of its nine fields pass. */
function grantedCalls(): SampleCall[] {
  return [
    answered(
      'Dịch vụ đặc thù đã được phê duyệt: chỉ các trường được duyệt',
      MOT_CUA,
      `${DOANH_NGHIEP}/doanh-nghiep/9999999992`,
      '"doanhNghiep":{"ten":"CÔNG TY CỔ PHẦN MẪU DƯỢC LIỆU SÌN HỒ","tinhTrang":"Đang hoạt động"}',
    ),
  ];
}

function wrongCallers({ expired, revoked, elsewhere }: SampleTokens): SampleCall[] {
  return [
    refused('Không gửi mã truy cập', null, PU_SAM_CAP, [401, 'token_missing']),
    refused('Mã truy cập bịa đặt', null, PU_SAM_CAP, [401, 'token_invalid'], bearer('khong.phai.ma')),
    refused('Mã truy cập đã hết hạn', null, PU_SAM_CAP, [401, 'token_expired'], bearer(expired)),
    refused('Hệ thống đã bị thu hồi', null, PU_SAM_CAP, [403, 'client_revoked'], bearer(revoked)),
    refused(
      'Hệ thống chỉ được gọi từ địa chỉ khác',
      null,
      PU_SAM_CAP,
      [403, 'address_not_allowed'],
      bearer(elsewhere),
    ),
    refused('Hệ thống đang bị khóa', LOCKED, PU_SAM_CAP, [403, 'client_locked']),
    refused('Cơ quan đã hết hiệu lực từ 01/07/2025', CLOSED_DISTRICT, PU_SAM_CAP, [403, 'agency_inactive']),
    refused(
      'Dịch vụ theo yêu cầu đặc thù chưa được phê duyệt',
      IOC,
      `${DOANH_NGHIEP}/doanh-nghiep/9999999992`,
      [403, 'grant_required'],
    ),
    refused('Chưa đăng ký dịch vụ chia sẻ mặc định', TAM_DUNG, PU_SAM_CAP, [403, 'grant_required']),
    refused('Phê duyệt đang tạm dừng', TAM_DUNG, `${DOANH_NGHIEP}/doanh-nghiep/9999999992`, [
      403,
      'grant_not_active',
    ]),
    refused('Phê duyệt đã hết thời hạn', HET_HAN, `${DOANH_NGHIEP}/doanh-nghiep/9999999992`, [
      403,
      'grant_expired',
    ]),
    refused(
      'Thao tác không nằm trong phê duyệt',
      MOT_CUA,
      `${DOANH_NGHIEP}/doanh-nghiep/9999999992/tinh-trang`,
      [403, 'operation_not_granted'],
    ),
    refused('Đã dùng hết hạn mức được đặt', HET_HAN_MUC, `${DOANH_NGHIEP}/doanh-nghiep/9999999992`, [
      429,
      'quota_exceeded',
    ]),
    refused(
      'Thanh tra không được đăng ký cơ quan',
      AUDITOR,
      '/api/agencies',
      [403, 'role_required'],
      json({
        code: 'H35.99',
        name: 'Cơ quan thử',
        level: 'other',
        parentCode: 'H35',
        validFrom: '2025-07-01',
      }),
    ),
    refused('Hệ thống không còn lượt gọi', WITHOUT_CALLS, PU_SAM_CAP, [429, 'rate_limited']),
  ];
}

function wrongSources(): SampleCall[] {
  return [
    refused('Dịch vụ đã ngừng cung cấp', IOC, '/data/H35.10/ngung-cung-cap/v1/trang-thai', [
      410,
      'service_retired',
    ]),
    refused('Dịch vụ đang tạm dừng', IOC, '/data/H35.10/tam-dung/v1/trang-thai', [503, 'service_suspended']),
    refused('Nguồn trả về sai cấu trúc', IOC, `${THU_NGHIEM}/sai-cau-truc`, [502, 'response_invalid']),
    refused('Nguồn báo lỗi', IOC, `${THU_NGHIEM}/loi`, [502, 'source_failed']),
    refused('Nguồn trả lời quá chậm', IOC, `${THU_NGHIEM}/cham`, [504, 'source_timeout']),
    refused('Không kết nối được nguồn', IOC, '/data/H35.10/nguon-tat/v1/trang-thai', [
      502,
      'source_unreachable',
    ]),
  ];
}

/** The same operations from their documents, before anything is granted: one call for each form of sharing, and more. */
function sandboxCalls(): SampleCall[] {
  const inSandbox = (url: string): string => url.replace('/data/', '/sandbox/');
  const special = inSandbox(`${DOANH_NGHIEP}/doanh-nghiep/9999999992`);
  return [
    answered('Gọi thử dịch vụ chia sẻ mặc định bằng dữ liệu mẫu', IOC, inSandbox(PU_SAM_CAP), 'Pu Sam Cáp'),
    answered('Gọi thử dịch vụ đặc thù khi chưa được phê duyệt', IOC, special, '"maKetQua":0'),
    answered('Chọn một ví dụ khác trong tài liệu', IOC, special, '"maKetQua":1', {
      headers: { prefer: 'example=khongTimThay' },
    }),
    answered(
      'Gửi hồ sơ thử: không hồ sơ nào được tạo',
      MOT_CUA,
      inSandbox(`${HO_SO}/ho-so`),
      '"maKetQua":0',
      json(DOSSIER),
    ),
    refused(
      'Yêu cầu sai cấu trúc cũng bị từ chối khi gọi thử',
      MOT_CUA,
      inSandbox(`${HO_SO}/ho-so`),
      [400, 'request_invalid'],
      json({ hoSo: [{}] }),
    ),
  ];
}

/** At least one call of every published operation, and one for every refusal that a caller can meet in this sample. */
export function exampleCalls(tokens: SampleTokens): SampleCall[] {
  return [
    ...answersOfLists(),
    ...answersOfSystems(),
    ...grantedCalls(),
    ...sandboxCalls(),
    ...wrongRequests(),
    ...wrongCallers(tokens),
    ...wrongSources(),
  ];
}
