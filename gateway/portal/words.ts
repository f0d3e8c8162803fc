import type { Bilingual } from '../base/problem.js';
import type { Manifest } from '../catalogue/manifest.js';
import type { ServiceState } from '../store/services.js';

const both = (vi: string, en: string): Bilingual => ({ vi, en });

export const SHARING: Readonly<Record<Manifest['sharing'], Bilingual>> = {
  default: both('Chia sẻ mặc định', 'Default sharing'),
  special: both('Chia sẻ theo yêu cầu đặc thù', 'Special-request sharing'),
};

/** What the form of sharing means for somebody who wants to call. */
export const SHARING_MEANS: Readonly<Record<Manifest['sharing'], Bilingual>> = {
  default: both(
    'Mọi hệ thống đã có tài khoản kết nối được gọi ngay.',
    'Every system with a connection account may call at once.',
  ),
  special: both(
    'Cần cơ quan cung cấp dữ liệu phê duyệt trước khi gọi.',
    'The provider must approve a request before the first call.',
  ),
};

export const CLASSIFICATION: Readonly<Record<Manifest['classification'], Bilingual>> = {
  open: both('Dữ liệu mở', 'Open data'),
  internal: both('Dùng trong cơ quan nhà nước', 'Internal to state agencies'),
  restricted: both('Hạn chế', 'Restricted'),
};

export const DIRECTION: Readonly<Record<Manifest['direction'], Bilingual>> = {
  provide: both('Cung cấp dữ liệu', 'Provides data'),
  collect: both('Thu nhận dữ liệu', 'Collects data'),
};

/** The states that the public meets; a draft is not among them. */
export type PublicState = Exclude<ServiceState, 'draft'>;

export const STATE: Readonly<Record<PublicState, Bilingual>> = {
  published: both('Đang cung cấp', 'In service'),
  suspended: both('Tạm dừng', 'Suspended'),
  retired: both('Ngừng cung cấp', 'Retired'),
};

export const WORDS = {
  platform: both(
    'Nền tảng tích hợp, chia sẻ dữ liệu cấp tỉnh',
    'Provincial data integration & sharing platform',
  ),
  portal: both('Cổng thông tin cho nhà phát triển', 'Developer portal'),
  skip: both('Đến nội dung chính', 'Skip to content'),
  menu: both('Các mục của cổng', 'Portal sections'),
  services: both('Danh mục dịch vụ', 'Service catalogue'),
  dataServices: both('Dịch vụ chia sẻ dữ liệu', 'Data-sharing services'),
  start: both('Bắt đầu trong 5 phút', 'Start in 5 minutes'),
  management: both('API quản trị', 'Management API'),
  legalBasis: both('Căn cứ pháp lý', 'Legal basis'),
  refusals: both('Mã từ chối', 'Refusal codes'),
  catalogueTitle: both('Danh mục dịch vụ chia sẻ dữ liệu', 'Data-sharing service catalogue'),
  catalogueLead: both(
    'Tra cứu dịch vụ mà các cơ quan của tỉnh đã công bố, đọc tài liệu và gọi thử ngay trên trình duyệt.',
    'Find the services that the agencies of the province have published, read their documents and try them here.',
  ),
  search: both('Tìm dịch vụ', 'Find a service'),
  searchHint: both(
    'Tên, mô tả hoặc cơ quan; gõ không dấu cũng được',
    'Name, description or agency; accents do not matter',
  ),
  sharing: both('Hình thức chia sẻ', 'Form of sharing'),
  provider: both('Cơ quan cung cấp', 'Provider'),
  all: both('Tất cả', 'All'),
  find: both('Tìm kiếm', 'Search'),
  clear: both('Bỏ điều kiện lọc', 'Clear filters'),
  nothingPublished: both('Chưa có dịch vụ nào được công bố', 'No service has been published yet'),
  nothingPublishedMore: both(
    'Khi một cơ quan công bố dịch vụ, dịch vụ đó xuất hiện tại đây ngay.',
    'As soon as an agency publishes a service, it appears here.',
  ),
  nothingFound: both('Không có dịch vụ nào khớp', 'No service matches'),
  nothingFoundMore: both(
    'Thử ít từ hơn, hoặc bỏ bớt điều kiện lọc.',
    'Try fewer words, or clear the filters.',
  ),
  classification: both('Phân loại', 'Classification'),
  direction: both('Chiều dữ liệu', 'Direction'),
  version: both('Phiên bản', 'Version'),
  address: both('Địa chỉ dịch vụ', 'Base address'),
  sandbox: both('Địa chỉ thử', 'Sandbox address'),
  sandboxMeans: both(
    'Mọi hệ thống đã có tài khoản kết nối gọi được ngay, kể cả khi chưa được phê duyệt: cùng thao tác, trả lời bằng dữ liệu mẫu và có tiêu đề `Lgsp-Sandbox: ?1`.',
    'Every system with a connection account may call it at once, approved or not: the same operations, answered with sample data and marked `Lgsp-Sandbox: ?1`.',
  ),
  contact: both('Đầu mối', 'Contact'),
  copy: both('Sao chép', 'Copy'),
  copied: both('Đã chép', 'Copied'),
  reference: both('Tài liệu và gọi thử', 'Reference and try-out'),
  pages: both('Các trang kết quả', 'Result pages'),
  previous: both('Trang trước', 'Previous'),
  next: both('Trang sau', 'Next'),
  breadcrumb: both('Vị trí hiện tại', 'You are here'),
  download: both('Tải tài liệu OpenAPI (JSON)', 'Download the OpenAPI document (JSON)'),
  withoutScript: both(
    'Phần gọi thử cần JavaScript. Không có JavaScript, hãy dùng tài liệu OpenAPI ở liên kết tải về.',
    'Trying calls needs JavaScript. Without it, use the OpenAPI document behind the download link.',
  ),
  tryIt: both(
    'Gọi thử: bấm `Authorize`, nhập mã hệ thống (client_id) và mã bí mật; mở một thao tác, bấm `Try it out` rồi `Execute`. Lượt gọi là thật và được ghi nhật ký.',
    'To try a call: press `Authorize`, enter client_id and secret; open an operation, press `Try it out`, then `Execute`. Calls are real and are recorded.',
  ),
  managementLead: both(
    'Những gì quản trị, cơ quan quản lý, cơ quan cung cấp và kiểm toán làm được bằng chương trình.',
    'What administrators, managers, data providers and auditors do by program.',
  ),
  refusalsLead: both(
    'Mỗi lời từ chối của nền tảng có một mã cố định, nêu đúng quy tắc nào đã quyết định và cách khắc phục.',
    'Every refusal of the gateway has a fixed code, says which rule decided, and how to mend it.',
  ),
  code: both('Mã', 'Code'),
  status: both('HTTP', 'HTTP'),
  meaning: both('Ý nghĩa', 'Meaning'),
  remedy: both('Cách khắc phục', 'What to do'),
  example: both('Ví dụ trả lời', 'An answer, for example'),
} as const satisfies Record<string, Bilingual>;
