import type { Bilingual } from '../base/problem.js';

/** What a sender-constrained token can lack. The error names are those of RFC 6750 and RFC 9449. */
interface SenderRefusal extends Bilingual {
  readonly code: 'token_unbound';
  readonly scheme: 'Bearer' | 'DPoP';
  readonly error: 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce';
}

const refusalOf =
  (scheme: SenderRefusal['scheme'], error: SenderRefusal['error']) =>
  (vi: string, en: string): SenderRefusal => ({ code: 'token_unbound', scheme, error, vi, en });

const token = refusalOf('DPoP', 'invalid_token');
const proof = refusalOf('DPoP', 'invalid_dpop_proof');
const nonce = refusalOf('DPoP', 'use_dpop_nonce');
const certificate = refusalOf('Bearer', 'invalid_token');

/** Why the sender of a token is not believed to be the one it was given to. */
export const SENDER_REFUSALS = {
  dpop: token(
    'Cách gửi DPoP chỉ dùng cho mã truy cập gắn với khóa; hãy gửi mã truy cập này theo dạng Bearer.',
    'The DPoP scheme is only for tokens bound to a key; send this token as Bearer.',
  ),
  unproved: token(
    'Mã truy cập gắn với khóa (cnf.jkt) phải được gửi theo dạng DPoP, kèm bằng chứng trong tiêu đề DPoP.',
    'A token bound to a key (cnf.jkt) must be sent with the DPoP scheme and a proof in the DPoP header.',
  ),
  bound: certificate(
    'Mã truy cập gắn với bên gửi (cnf) theo cách mà nền tảng không kiểm tra được.',
    'The token is bound to its sender (cnf) in a way that the gateway does not verify.',
  ),
  required: token(
    'Chỉ nhận mã truy cập gắn với khóa (DPoP) hoặc chứng thư (mTLS); xem «rule» để biết bên nào yêu cầu.',
    'Only a token bound to a key (DPoP) or certificate (mTLS) is accepted; the rule says who requires it.',
  ),
  proof_missing: proof('Yêu cầu không có tiêu đề DPoP.', 'The request carries no DPoP header.'),
  proof_many: proof(
    'Yêu cầu phải có đúng một tiêu đề DPoP.',
    'The request must carry exactly one DPoP header.',
  ),
  proof_large: proof('Bằng chứng DPoP dài quá 4096 ký tự.', 'The DPoP proof is longer than 4096 characters.'),
  proof_malformed: proof(
    'Bằng chứng DPoP không phải là một JWT có chữ ký.',
    'The DPoP proof is not a signed JWT.',
  ),
  proof_type: proof(
    'Tiêu đề typ của bằng chứng DPoP phải là dpop+jwt.',
    'The header typ of the DPoP proof must be dpop+jwt.',
  ),
  proof_algorithm: proof(
    'Bằng chứng DPoP phải được ký bằng ES256, PS256 hoặc EdDSA (Ed25519).',
    'The DPoP proof must be signed with ES256, PS256 or EdDSA (Ed25519).',
  ),
  proof_critical: proof(
    'Bằng chứng DPoP có phần mở rộng bắt buộc (crit) mà nền tảng không hiểu.',
    'The DPoP proof demands an extension (crit) that the gateway does not understand.',
  ),
  proof_jwk: proof(
    'Tiêu đề jwk của bằng chứng DPoP phải là một khóa công khai hợp với thuật toán.',
    'The header jwk of the DPoP proof must be a public key that fits the algorithm.',
  ),
  proof_private: proof(
    'Tiêu đề jwk của bằng chứng DPoP chứa khóa bí mật; khóa này coi như đã lộ, hãy thay khóa khác.',
    'The header jwk of the DPoP proof holds a private key; that key is disclosed now, replace it.',
  ),
  proof_key: proof(
    'Bằng chứng DPoP được ký bằng khóa khác với khóa mà mã truy cập gắn vào (cnf.jkt).',
    'The DPoP proof is made with another key than the one the token is bound to (cnf.jkt).',
  ),
  proof_signature: proof('Chữ ký của bằng chứng DPoP sai.', 'The signature of the DPoP proof is wrong.'),
  proof_claims: proof(
    'Bằng chứng DPoP phải có htm, htu, jti, ath dạng chuỗi và iat dạng số.',
    'The DPoP proof must have htm, htu, jti and ath as text and iat as a number.',
  ),
  proof_method: proof(
    'Bằng chứng DPoP được lập cho phương thức khác (htm).',
    'The DPoP proof was made for another method (htm).',
  ),
  proof_address: proof(
    'Bằng chứng DPoP được lập cho địa chỉ khác (htu): phải là địa chỉ công khai của lời gọi, không có phần truy vấn.',
    'The DPoP proof was made for another address (htu): it must be the public one of the call without its query.',
  ),
  proof_token: proof(
    'Bằng chứng DPoP được lập cho mã truy cập khác (ath).',
    'The DPoP proof was made for another access token (ath).',
  ),
  proof_stale: nonce(
    'Thời điểm lập bằng chứng DPoP (iat) quá xa hiện tại; hãy lập bằng chứng mới với nonce ở tiêu đề DPoP-Nonce.',
    'The DPoP proof was not made just now (iat); make a new one with the nonce of the DPoP-Nonce header.',
  ),
  proof_replayed: proof(
    'Bằng chứng DPoP này đã được dùng; mỗi lời gọi cần một bằng chứng mới (jti).',
    'This DPoP proof was used before; every call needs a new one (jti).',
  ),
  nonce_required: nonce(
    'Bằng chứng DPoP phải có nonce của máy chủ, lấy ở tiêu đề DPoP-Nonce.',
    'The DPoP proof must carry the nonce of the server, given in the DPoP-Nonce header.',
  ),
  nonce_wrong: nonce(
    'Nonce trong bằng chứng DPoP sai hoặc đã cũ; hãy dùng nonce ở tiêu đề DPoP-Nonce.',
    'The nonce of the DPoP proof is wrong or too old; use the one in the DPoP-Nonce header.',
  ),
  certificate_missing: certificate(
    'Mã truy cập gắn với một chứng thư số, nhưng kết nối không xuất trình chứng thư nào đọc được.',
    'The token is bound to a certificate, but the connection presents none that can be read.',
  ),
  certificate_other: certificate(
    'Chứng thư số của kết nối không phải chứng thư mà mã truy cập gắn vào (cnf x5t#S256).',
    'The certificate of the connection is not the one the token is bound to (cnf x5t#S256).',
  ),
  certificate_expired: certificate(
    'Chứng thư số của kết nối đã hết hạn.',
    'The certificate of the connection has expired.',
  ),
  certificate_early: certificate(
    'Chứng thư số của kết nối chưa đến thời điểm có hiệu lực.',
    'The certificate of the connection is not valid yet.',
  ),
} as const satisfies Record<string, SenderRefusal>;

export type SenderReason = keyof typeof SENDER_REFUSALS;
