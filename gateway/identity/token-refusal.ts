import { type Bilingual, type DecisionRule, Problem, type ProblemCode } from '../base/problem.js';
import { DPOP_ALGORITHMS } from './dpop-proof.js';
import { SENDER_REFUSALS } from './sender-refusal.js';

const TOKEN_REFUSALS = {
  missing: {
    code: 'token_missing',
    vi: 'Yêu cầu không có tiêu đề Authorization: Bearer {mã truy cập}.',
    en: 'The request carries no Authorization: Bearer {access token} header.',
  },
  scheme: {
    code: 'token_missing',
    vi: 'Tiêu đề Authorization không theo dạng Bearer hay DPoP {mã truy cập}; các cách xác thực khác không được nhận ở đây.',
    en: 'The Authorization header does not have the form Bearer or DPoP {access token}; no other scheme is accepted here.',
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
  lifetime: {
    code: 'token_invalid',
    vi: 'Mã truy cập có thời hạn dài hơn mức được nhận từ máy chủ cấp mã này.',
    en: 'The token lives longer than is accepted of this authorization server.',
  },
  unmapped: {
    code: 'token_invalid',
    vi: 'Mã truy cập không thuộc về hệ thống nào được khai báo cho máy chủ cấp mã này.',
    en: 'The token belongs to no system that is declared for this authorization server.',
  },
  expired: {
    code: 'token_expired',
    vi: 'Mã truy cập đã hết hạn; hãy xin mã mới.',
    en: 'The token has expired; ask for a new one.',
  },
} as const satisfies Record<string, { code: ProblemCode } & Bilingual>;

/** Why a token is refused, once for each way it can be wrong. Never with any part of the token itself. */
export const REFUSALS = { ...TOKEN_REFUSALS, ...SENDER_REFUSALS } as const;

export type RefusalReason = keyof typeof REFUSALS;

export interface RefusalParts {
  /** Milliseconds since the epoch, when the token came into this state. */
  readonly since?: number | undefined;
  /** The rule that decided, where it is not the token itself. */
  readonly rule?: DecisionRule;
  readonly headers?: Readonly<Record<string, string>>;
}

const ALGORITHMS = `algs="${DPOP_ALGORITHMS.join(' ')}"`;

/** RFC 6750 (no error code when nothing was sent), RFC 9449 section 7.1 and RFC 9728. */
function challenge(reason: RefusalReason, resourceMetadata: string): string {
  const metadata = `resource_metadata="${resourceMetadata}"`;
  const row: Bilingual & { scheme?: 'Bearer' | 'DPoP'; error?: string; code: ProblemCode } = REFUSALS[reason];
  if (row.code === 'token_missing')
    return `Bearer realm="lgsp", ${metadata}, DPoP realm="lgsp", ${ALGORITHMS}, ${metadata}`;
  const { scheme = 'Bearer', error = 'invalid_token', en } = row;
  const algorithms = scheme === 'DPoP' ? `${ALGORITHMS}, ` : '';
  return `${scheme} realm="lgsp", error="${error}", error_description="${en}", ${algorithms}${metadata}`;
}

/** The refusal with its challenge. */
export function refusal(reason: RefusalReason, resourceMetadata: string, parts: RefusalParts = {}): Problem {
  const { code, vi, en } = REFUSALS[reason];
  const { since, headers, rule = { kind: 'token', state: reason } } = parts;
  return new Problem(code, {
    detail: { vi, en },
    rule: { ...rule, ...(since === undefined ? {} : { since: new Date(since).toISOString() }) },
    headers: { 'WWW-Authenticate': challenge(reason, resourceMetadata), ...headers },
  });
}
