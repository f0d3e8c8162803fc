import { type Bilingual, Problem, type ProblemCode } from '../base/problem.js';

/** Why a token is refused, once for each way it can be wrong. Never with any part of the token itself. */
export const REFUSALS = {
  missing: {
    code: 'token_missing',
    vi: 'Yêu cầu không có tiêu đề Authorization: Bearer {mã truy cập}.',
    en: 'The request carries no Authorization: Bearer {access token} header.',
  },
  scheme: {
    code: 'token_missing',
    vi: 'Tiêu đề Authorization không theo dạng Bearer {mã truy cập}; các cách xác thực khác không được nhận ở đây.',
    en: 'The Authorization header does not have the form Bearer {access token}; no other scheme is accepted here.',
  },
  dpop: {
    code: 'token_unbound',
    vi: 'Cách gửi DPoP chỉ dùng cho mã truy cập gắn với khóa; hãy gửi mã truy cập theo dạng Bearer.',
    en: 'The DPoP scheme is only for tokens bound to a key; send this token as Bearer.',
  },
  bound: {
    code: 'token_unbound',
    vi: 'Mã truy cập gắn với một khóa hoặc chứng thư (cnf) mà nền tảng chưa kiểm tra được; hãy xin mã truy cập thường.',
    en: 'The token is bound to a key or certificate (cnf), which the gateway does not verify yet; ask for a plain one.',
  },
  large: {
    code: 'token_invalid',
    vi: 'Mã truy cập dài quá 8192 ký tự.',
    en: 'The token is longer than 8192 characters.',
  },
  malformed: {
    code: 'token_invalid',
    vi: 'Mã truy cập không phải là một JWT có chữ ký.',
    en: 'The token is not a signed JWT.',
  },
  algorithm: {
    code: 'token_invalid',
    vi: 'Mã truy cập không được ký bằng thuật toán ES256.',
    en: 'The token is not signed with the algorithm ES256.',
  },
  type: {
    code: 'token_invalid',
    vi: 'JWT này không phải mã truy cập: tiêu đề typ phải là at+jwt.',
    en: 'This JWT is not an access token: its header typ must be at+jwt.',
  },
  critical: {
    code: 'token_invalid',
    vi: 'Mã truy cập có phần mở rộng bắt buộc (crit) mà nền tảng không hiểu.',
    en: 'The token demands an extension (crit) that the gateway does not understand.',
  },
  issuer: {
    code: 'token_invalid',
    vi: 'Mã truy cập do một máy chủ khác cấp.',
    en: 'The token was issued by another authorization server.',
  },
  key: {
    code: 'token_invalid',
    vi: 'Khóa đã ký mã truy cập (kid) không có hoặc không còn hiệu lực.',
    en: 'The key that signed the token (kid) is unknown or no longer in force.',
  },
  signature: {
    code: 'token_invalid',
    vi: 'Chữ ký của mã truy cập sai: nội dung đã bị thay đổi hoặc bị cắt.',
    en: 'The signature of the token is wrong: it was changed or cut short.',
  },
  audience: {
    code: 'token_invalid',
    vi: 'Mã truy cập được cấp cho tài nguyên khác (aud); hãy xin mã cho đúng tài nguyên bằng tham số resource.',
    en: 'The token was issued for another resource (aud); ask for one with the right resource parameter.',
  },
  early: {
    code: 'token_invalid',
    vi: 'Mã truy cập chưa đến thời điểm có hiệu lực.',
    en: 'The token is not valid yet.',
  },
  claims: {
    code: 'token_invalid',
    vi: 'Mã truy cập thiếu một trong các thông tin bắt buộc: exp, iat, jti, client_id, agency.',
    en: 'The token lacks one of the required claims: exp, iat, jti, client_id, agency.',
  },
  expired: {
    code: 'token_expired',
    vi: 'Mã truy cập đã hết hạn; hãy xin mã mới.',
    en: 'The token has expired; ask for a new one.',
  },
} as const satisfies Record<string, { code: ProblemCode } & Bilingual>;

export type RefusalReason = keyof typeof REFUSALS;

/**
 * The refusal with its challenge: RFC 6750 (no error code when nothing was sent) and RFC 9728.
 *
 * @param since - RFC 3339, when the token came into this state
 */
export function refusal(reason: RefusalReason, resourceMetadata: string, since?: string): Problem {
  const { code, vi, en } = REFUSALS[reason];
  const error = code === 'token_missing' ? '' : `error="invalid_token", error_description="${en}", `;
  return new Problem(code, {
    detail: { vi, en },
    rule: { kind: 'token', state: reason, ...(since === undefined ? {} : { since }) },
    headers: { 'WWW-Authenticate': `Bearer realm="lgsp", ${error}resource_metadata="${resourceMetadata}"` },
  });
}
