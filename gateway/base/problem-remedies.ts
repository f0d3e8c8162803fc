import type { Bilingual, ProblemCode } from './problem.js';

export interface Explanation {
  /** Said as `detail` where the refusal has nothing more exact to say. */
  readonly meaning: Bilingual;
  /** What the caller can do. */
  readonly remedy: Bilingual;
}

const say = (meaningVi: string, meaningEn: string, remedyVi: string, remedyEn: string): Explanation => ({
  meaning: { vi: meaningVi, en: meaningEn },
  remedy: { vi: remedyVi, en: remedyEn },
});

const ASK_OPERATOR = {
  vi: 'Liên hệ đơn vị vận hành nền tảng, nêu mã bản ghi ở mục «instance».',
  en: 'Ask the operating unit, naming the record in `instance`.',
};

/** What each refusal means and how to mend it: answers, `/problems/{code}` and `docs/problems.md` all say this. */
export const REMEDIES: Readonly<Record<ProblemCode, Explanation>> = {
  request_invalid: say(
    'Yêu cầu đọc được nhưng không khớp cấu trúc mà dịch vụ đã công bố.',
    'The request could be read but does not match the structure that the service published.',
    'Sửa từng chỗ nêu ở mục «errors» theo tài liệu OpenAPI của dịch vụ.',
    'Mend each place named in `errors`, following the OpenAPI document of the service.',
  ),
  request_malformed: say(
    'Nội dung, đường dẫn hoặc tham số sai cú pháp nên không đọc được.',
    'Body, path or parameters are not well formed and could not be read.',
    'Kiểm tra cú pháp JSON (UTF-8), mã hóa phần trăm trong đường dẫn và tham số bị lặp.',
    'Check the JSON syntax (UTF-8), the percent-encoding of the path, and repeated parameters.',
  ),
  token_missing: say(
    'Yêu cầu không kèm mã truy cập.',
    'The request carries no access token.',
    'Lấy mã tại /oidc/token bằng client_credentials rồi gửi «Authorization: Bearer <mã>».',
    'Get a token from /oidc/token with client_credentials and send `Authorization: Bearer <token>`.',
  ),
  token_invalid: say(
    'Mã truy cập không do nền tảng này cấp, không dành cho tài nguyên này hoặc đã bị sửa.',
    'The token was not issued here, not for this resource, or has been altered.',
    'Lấy mã mới tại /oidc/token; với /api hãy thêm tham số resource={địa chỉ nền tảng}/api.',
    'Get a new token from /oidc/token; for /api add the parameter resource={gateway}/api.',
  ),
  token_expired: say(
    'Mã truy cập đã quá thời hạn.',
    'The token is past its time.',
    'Lấy mã mới tại /oidc/token rồi gọi lại; mã có hiệu lực 10 phút.',
    'Get a new token from /oidc/token and call again; tokens last 10 minutes.',
  ),
  token_unbound: say(
    'Bên gửi chưa chứng minh giữ khóa (DPoP) hoặc chứng thư (mTLS) mà mã truy cập gắn vào, hoặc mã bắt buộc phải gắn mà chưa gắn.',
    'The sender did not prove to hold the key (DPoP) or certificate (mTLS) of the token, or the token must be bound and is not.',
    'Xem «detail» và tiêu đề WWW-Authenticate; lập bằng chứng DPoP mới cho từng lời gọi, hoặc gọi bằng chứng thư đã dùng khi lấy mã.',
    'See `detail` and WWW-Authenticate; make a new DPoP proof for each call, or call with the certificate the token was got with.',
  ),
  client_locked: say(
    'Tài khoản của hệ thống hoặc của người gọi đang bị khóa, chưa đến hoặc đã hết thời hạn.',
    'The account of the calling system or person is locked, or outside of its term.',
    'Cơ quan chủ quản gửi văn bản đề nghị mở khóa hoặc gia hạn đến đơn vị vận hành.',
    'Its agency asks the operating unit in writing to unlock or extend it.',
  ),
  client_revoked: say(
    'Hệ thống gọi đã bị thu hồi quyền kết nối vĩnh viễn.',
    'The calling system has been revoked for good.',
    'Đăng ký hệ thống mới nếu vẫn có nhu cầu kết nối.',
    'Register a new system if a connection is still needed.',
  ),
  address_not_allowed: say(
    'Hệ thống chỉ được gọi từ những địa chỉ IP đã đăng ký, và lời gọi này đến từ địa chỉ khác.',
    'The system may call from the IP addresses registered for it only, and this call came from another.',
    'Gọi từ máy chủ đã đăng ký, hoặc đề nghị đơn vị vận hành bổ sung địa chỉ; `rule.address` là địa chỉ mà nền tảng nhìn thấy.',
    'Call from the registered server, or ask the operating unit to add the address; `rule.address` is the one that the gateway sees.',
  ),
  agency_inactive: say(
    'Cơ quan chưa có hiệu lực hoặc đã hết hiệu lực tại thời điểm gọi.',
    'The agency is not yet, or no longer, in force at the time of the call.',
    'Đăng ký hệ thống dưới cơ quan kế thừa; xem thời hạn ở mục «rule».',
    'Register the system under the succeeding agency; see the dates in `rule`.',
  ),
  grant_required: say(
    'Dịch vụ chia sẻ theo yêu cầu đặc thù chỉ phục vụ hệ thống đã được phê duyệt.',
    'A special-request service serves only systems with an approved grant.',
    'Gửi yêu cầu chia sẻ dữ liệu đặc thù đến cơ quan cung cấp dữ liệu. Trong lúc chờ, cùng đường dẫn dưới /sandbox trả lời bằng dữ liệu mẫu.',
    'Send a special sharing request to the agency that provides the data. Meanwhile the same path under /sandbox answers with sample data.',
  ),
  grant_not_active: say(
    'Đã có phê duyệt nhưng chưa có hiệu lực hoặc đang tạm dừng.',
    'There is a grant but it is not active yet, or suspended.',
    'Xem trạng thái phê duyệt ở mục «rule» và liên hệ cơ quan cung cấp.',
    'See the state in `rule` and ask the provider.',
  ),
  grant_expired: say(
    'Thời hạn khai thác đã hết.',
    'The term of use is over.',
    'Gửi yêu cầu gia hạn.',
    'Ask for an extension.',
  ),
  operation_not_granted: say(
    'Phê duyệt không bao gồm thao tác này.',
    'The grant does not cover this operation.',
    'Gửi yêu cầu bổ sung thao tác.',
    'Ask for the operation to be added.',
  ),
  role_required: say(
    'Tài khoản không có vai trò mà thao tác này đòi hỏi.',
    'The account does not hold a role that this operation asks for.',
    'Dùng tài khoản có vai trò nêu ở mục «rule».',
    'Use an account that holds a role named in `rule`.',
  ),
  own_decision: say(
    'Không ai được quyết định về chính yêu cầu hoặc tài khoản của mình.',
    'Nobody decides about their own request or account.',
    'Đề nghị người có thẩm quyền khác thực hiện.',
    'Ask another authorised person to do it.',
  ),
  service_not_found: say(
    'Không có dịch vụ nào được công bố tại đường dẫn này.',
    'No service is published at this path.',
    'Tra danh mục dịch vụ tại /docs/.',
    'Look the service up at /docs/.',
  ),
  operation_not_found: say(
    'Dịch vụ có thật nhưng không có thao tác ở đường dẫn này.',
    'The service exists but has no operation at this path.',
    'Xem các đường dẫn trong tài liệu OpenAPI của dịch vụ tại /docs/.',
    'See the paths in the OpenAPI document of the service at /docs/.',
  ),
  object_not_found: say(
    'Đối tượng không tồn tại, hoặc không thuộc phạm vi của tài khoản này.',
    'The object does not exist, or is outside what this account may see.',
    'Kiểm tra lại mã; dùng thao tác danh sách để tìm.',
    'Check the identifier; use the list operation to find it.',
  ),
  method_not_allowed: say(
    'Đường dẫn có thật nhưng không nhận phương thức này.',
    'The path exists but does not take this method.',
    'Dùng một trong các phương thức nêu ở tiêu đề «Allow».',
    'Use one of the methods in the `Allow` header.',
  ),
  not_acceptable: say(
    'Không có định dạng trả về nào khớp tiêu đề «Accept».',
    'No representation matches the `Accept` header.',
    'Bỏ tiêu đề «Accept» hoặc dùng định dạng nêu ở mục «rule».',
    'Leave `Accept` out, or use a format named in `rule`.',
  ),
  conflict: say(
    'Đối tượng đã tồn tại hoặc thay đổi trái với dữ liệu hiện có.',
    'The object exists already, or the change contradicts what exists.',
    'Đọc lại đối tượng rồi sửa yêu cầu.',
    'Read the object again and adapt the request.',
  ),
  transition_not_allowed: say(
    'Trạng thái hiện tại không cho phép thao tác này.',
    'The current state does not allow this act.',
    'Xem trạng thái hiện tại ở mục «rule».',
    'See the current state in `rule`.',
  ),
  service_retired: say(
    'Dịch vụ đã ngừng cung cấp.',
    'The service has been retired.',
    'Chuyển sang phiên bản hoặc dịch vụ thay thế tại /docs/.',
    'Move to the succeeding version or service at /docs/.',
  ),
  body_too_large: say(
    'Nội dung vượt quá dung lượng mà dịch vụ nhận.',
    'The body is larger than the service takes.',
    'Chia nhỏ nội dung; giới hạn nêu ở mục «rule».',
    'Send less at a time; the bound is in `rule`.',
  ),
  media_type_unsupported: say(
    'Dịch vụ không nhận định dạng nội dung này.',
    'The service does not take this media type.',
    'Dùng định dạng nêu ở tiêu đề «Accept» và gửi không nén.',
    'Use a media type named in the `Accept` header, and send it uncompressed.',
  ),
  headers_too_large: say(
    'Phần đầu của yêu cầu vượt quá 16 KiB.',
    'The headers of the request exceed 16 KiB.',
    'Bỏ bớt tiêu đề và cookie.',
    'Send fewer headers and cookies.',
  ),
  document_required: say(
    'Thao tác này phải dựa trên một văn bản.',
    'This act must rest on an official document.',
    'Gửi kèm số, ký hiệu, ngày và cơ quan ban hành văn bản.',
    'Send number, notation, date and issuing body of the document.',
  ),
  state_secret: say(
    'Dữ liệu thuộc phạm vi bí mật nhà nước không được chia sẻ qua nền tảng này.',
    'Data that are state secrets are never shared through this gateway.',
    'Xử lý theo pháp luật về bảo vệ bí mật nhà nước; nếu khai nhầm thì sửa mục phân loại.',
    'Follow the law on state secrets; if the classification is a mistake, correct it.',
  ),
  contract_invalid: say(
    'Bản khai hoặc tài liệu OpenAPI có lỗi nên không được công bố.',
    'The manifest or the OpenAPI document has faults and is not published.',
    'Sửa từng chỗ nêu ở mục «errors»; kiểm tra trước bằng «lgsp service check».',
    'Mend each place named in `errors`; check beforehand with `lgsp service check`.',
  ),
  breaking_change: say(
    'Thay đổi làm hỏng các bên đang khai thác phiên bản này.',
    'The change breaks those who use this version.',
    'Công bố dưới số phiên bản chính mới.',
    'Publish it under a new major version.',
  ),
  rate_limited: say(
    'Đã gọi quá số lượt cho phép trong khoảng thời gian.',
    'More calls were made than the window allows.',
    'Chờ số giây nêu ở «Retry-After»; theo dõi tiêu đề «RateLimit».',
    'Wait the seconds in `Retry-After`; watch the `RateLimit` header.',
  ),
  quota_exceeded: say(
    'Đã dùng hết hạn mức được phê duyệt.',
    'The approved quota is used up.',
    'Chờ kỳ hạn mức sau hoặc đề nghị nâng hạn mức.',
    'Wait for the next period or ask for a larger quota.',
  ),
  internal_error: say(
    'Nền tảng gặp lỗi không lường trước; lỗi đã được ghi lại.',
    'The gateway met an unforeseen fault, which has been logged.',
    ASK_OPERATOR.vi,
    ASK_OPERATOR.en,
  ),
  response_invalid: say(
    'Nguồn dữ liệu đã trả lời nhưng sai cấu trúc công bố nên không được chuyển đi.',
    'The source answered, but not in the published structure, so the answer was held back.',
    'Báo cho cơ quan cung cấp dữ liệu, nêu mã bản ghi và các chỗ ở mục «errors».',
    'Tell the provider, naming the record and the places in `errors`.',
  ),
  source_failed: say(
    'Nguồn dữ liệu báo lỗi hoặc trả lời không dùng được.',
    'The source reported a failure or gave no usable answer.',
    'Thử lại sau; nếu lặp lại, báo cho cơ quan cung cấp dữ liệu.',
    'Try later; if it persists, tell the provider.',
  ),
  source_unreachable: say(
    'Không kết nối được đến nguồn dữ liệu.',
    'No connection to the source could be made.',
    'Thử lại sau; nếu lặp lại, báo cho cơ quan cung cấp dữ liệu.',
    'Try later; if it persists, tell the provider.',
  ),
  source_busy: say(
    'Nguồn dữ liệu vừa lỗi liên tiếp hoặc đang nhận quá nhiều lượt gọi nên tạm thời không gọi thêm.',
    'The source failed repeatedly or has too many calls, so it is left alone for a moment.',
    'Thử lại sau số giây nêu ở «Retry-After».',
    'Try again after the seconds in `Retry-After`.',
  ),
  source_timeout: say(
    'Nguồn dữ liệu không trả lời trong thời gian cho phép.',
    'The source did not answer within its time.',
    'Thử lại sau. Với thao tác ghi, kiểm tra kết quả trước khi gửi lại.',
    'Try later. For a write, check the outcome before sending it again.',
  ),
  service_suspended: say(
    'Dịch vụ đang tạm dừng.',
    'The service is suspended.',
    'Chờ khôi phục; lý do xem tại cơ quan cung cấp dữ liệu.',
    'Wait until it resumes; the provider can tell why.',
  ),
  overloaded: say(
    'Nền tảng đang nhận nhiều yêu cầu hơn khả năng xử lý.',
    'The gateway has more calls than it can hold.',
    'Thử lại sau vài giây, giãn dần khoảng cách giữa các lần.',
    'Try again in a few seconds, with growing pauses.',
  ),
  record_unavailable: say(
    'Không ghi được nhật ký nên không kết quả nào được trả ra.',
    'The record could not be made durable, so no answer is released.',
    'Thử lại sau. Với thao tác ghi, kiểm tra kết quả trước khi gửi lại.',
    'Try later. For a write, check the outcome before sending it again.',
  ),
};
