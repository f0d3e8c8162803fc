/** A sentence in the two languages the gateway speaks. */
export interface Bilingual {
  readonly vi: string;
  readonly en: string;
}

interface ProblemRow {
  readonly status: number;
  readonly title: Bilingual;
}

const row = (status: number, vi: string, en: string): ProblemRow => ({ status, title: { vi, en } });

/**
 * Every refusal that the gateway can utter: code → HTTP status and title. `docs/problems.md` explains each
 * one and a test compares the two; what a caller can do about it is in `problem-remedies.ts`.
 */
export const PROBLEMS = {
  request_invalid: row(
    400,
    'Yêu cầu không đúng cấu trúc dữ liệu đã công bố',
    'The request does not match the published structure',
  ),
  request_malformed: row(400, 'Yêu cầu không đọc được', 'The request cannot be read'),
  token_missing: row(401, 'Thiếu mã truy cập', 'No access token was sent'),
  token_invalid: row(401, 'Mã truy cập không hợp lệ', 'The access token is not valid'),
  token_expired: row(401, 'Mã truy cập đã hết hạn', 'The access token has expired'),
  token_unbound: row(
    401,
    'Mã truy cập không gắn với khóa của bên gửi',
    'The access token is not bound to the sender',
  ),
  client_locked: row(
    403,
    'Tài khoản đang bị khóa hoặc ngoài thời hạn',
    'The account is locked or outside its term',
  ),
  client_revoked: row(403, 'Hệ thống đã bị thu hồi quyền kết nối', 'The calling system has been revoked'),
  address_not_allowed: row(
    403,
    'Hệ thống không được gọi từ địa chỉ này',
    'The system may not call from this address',
  ),
  agency_inactive: row(403, 'Cơ quan không còn hoặc chưa có hiệu lực', 'The agency is not in force'),
  grant_required: row(
    403,
    'Dịch vụ chia sẻ theo yêu cầu đặc thù cần được phê duyệt trước',
    'This special-request service needs an approved grant',
  ),
  grant_not_active: row(403, 'Phê duyệt chia sẻ chưa có hiệu lực', 'The grant is not active'),
  grant_expired: row(403, 'Phê duyệt chia sẻ đã hết thời hạn', 'The grant has expired'),
  operation_not_granted: row(
    403,
    'Thao tác không nằm trong phê duyệt',
    'The operation is not part of the grant',
  ),
  role_required: row(
    403,
    'Tài khoản không có vai trò cần thiết',
    'The account does not hold the role that is needed',
  ),
  own_decision: row(403, 'Người lập không được tự duyệt', 'Nobody decides on their own request'),
  service_not_found: row(404, 'Không có dịch vụ này', 'There is no such service'),
  operation_not_found: row(404, 'Dịch vụ không có thao tác này', 'The service has no such operation'),
  object_not_found: row(404, 'Không có đối tượng này', 'There is no such object'),
  method_not_allowed: row(405, 'Phương thức không được hỗ trợ', 'The method is not allowed here'),
  not_acceptable: row(
    406,
    'Không có định dạng trả về theo yêu cầu',
    'No acceptable representation is available',
  ),
  conflict: row(409, 'Xung đột với dữ liệu hiện có', 'The request conflicts with what exists'),
  transition_not_allowed: row(
    409,
    'Không được chuyển sang trạng thái này',
    'This change of state is not allowed',
  ),
  service_retired: row(410, 'Dịch vụ đã ngừng cung cấp', 'The service has been retired'),
  body_too_large: row(413, 'Nội dung vượt quá dung lượng cho phép', 'The body is too large'),
  media_type_unsupported: row(415, 'Định dạng nội dung không được hỗ trợ', 'The media type is not supported'),
  document_required: row(422, 'Cần có văn bản làm căn cứ', 'An official document is required'),
  state_secret: row(
    422,
    'Dữ liệu thuộc phạm vi bí mật nhà nước không được công bố tại đây',
    'State secrets cannot be published here',
  ),
  contract_invalid: row(422, 'Tài liệu mô tả dịch vụ không hợp lệ', 'The service description is not valid'),
  breaking_change: row(
    422,
    'Thay đổi làm hỏng các bên đang khai thác',
    'The change breaks those who use the service',
  ),
  rate_limited: row(429, 'Vượt giới hạn tần suất', 'Too many requests'),
  quota_exceeded: row(429, 'Vượt hạn mức', 'The quota is used up'),
  headers_too_large: row(431, 'Phần đầu của yêu cầu quá lớn', 'The request headers are too large'),
  internal_error: row(500, 'Lỗi nội bộ của nền tảng', 'The gateway failed'),
  response_invalid: row(
    502,
    'Nguồn dữ liệu trả về sai cấu trúc đã công bố',
    'The source answered with a structure that was not published',
  ),
  source_failed: row(502, 'Nguồn dữ liệu báo lỗi', 'The source failed'),
  source_unreachable: row(502, 'Không kết nối được nguồn dữ liệu', 'The source cannot be reached'),
  source_busy: row(503, 'Nguồn dữ liệu đang quá tải', 'The source is busy'),
  service_suspended: row(503, 'Dịch vụ đang tạm dừng', 'The service is suspended'),
  overloaded: row(503, 'Nền tảng đang quá tải', 'The gateway is overloaded'),
  record_unavailable: row(
    503,
    'Không ghi được nhật ký nên không trả kết quả',
    'The record cannot be written, so no answer is released',
  ),
  source_timeout: row(504, 'Nguồn dữ liệu trả lời quá chậm', 'The source took too long'),
} as const satisfies Record<string, ProblemRow>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Which rule decided, in what state it is, and since when: the heart of the decision trace. */
export interface DecisionRule {
  readonly kind:
    | 'token'
    | 'agency'
    | 'system'
    | 'service'
    | 'grant'
    | 'limit'
    | 'role'
    | 'schema'
    | 'source'
    | 'record'
    | 'document'
    | 'sharing_request'
    | 'account_request'
    | 'difficulty'
    | 'legal_basis'
    | 'change_request'
    | 'break_glass'
    | 'person';
  readonly id?: string;
  readonly state?: string;
  /** RFC 3339, when the rule came into this state. */
  readonly since?: string;
  readonly [detail: string]: string | number | boolean | readonly string[] | undefined;
}

/** One fault in a message or a document. */
export interface Fault {
  /** RFC 6901 pointer to the place, e.g. `/query/limit` or `/body/data/0/maHoSo`. */
  readonly pointer: string;
  /** The JSON Schema keyword or the rule that failed. */
  readonly keyword: string;
  readonly message: Bilingual;
}

export interface ProblemParts {
  readonly detail?: Bilingual;
  readonly rule?: DecisionRule;
  readonly errors?: readonly Fault[];
  readonly remedy?: Bilingual;
  /** References into the registry of legal bases, e.g. `491-qd-ubnd#d3.7`; in place of the code's own (`problem-legal.ts`). */
  readonly legalBasis?: readonly string[];
  /** Headers that the refusal needs: `WWW-Authenticate`, `Allow`, `Retry-After`, … */
  readonly headers?: Readonly<Record<string, string>>;
  /** Said to the operational log, never to the caller. */
  readonly cause?: unknown;
}

/**
 * A refusal. Any part of the gateway throws it; only `gateway/http/problem-json.ts` writes it out.
 *
 * @example throw new Problem('client_locked', { rule: { kind: 'system', id, state: 'locked', since } })
 */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly parts: ProblemParts;

  constructor(code: ProblemCode, parts: ProblemParts = {}) {
    super(parts.detail?.en ?? PROBLEMS[code].title.en, { cause: parts.cause });
    this.name = 'Problem';
    this.code = code;
    this.parts = parts;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}
