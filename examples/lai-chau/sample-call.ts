import type { ProblemCode } from '../../gateway/base/problem.js';

/** One call that a script can make, and what must come of it. */
export interface SampleCall {
  readonly title: string;
  /** Client that gets a token for the call; null: the headers say all there is to say. */
  readonly client: string | null;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query below the gateway's base address. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON value to send; a string is sent as it is. */
  readonly body: unknown;
  readonly expect: {
    readonly status: number;
    readonly code: ProblemCode | null;
    /** Text that the body of the answer holds. */
    readonly contains: string | null;
  };
}

export const IOC = 'ioc-dieu-hanh';
export const MOT_CUA = 'mot-cua-pu-sam-cap';
export const TAI_CHINH = 'so-tai-chinh-ngan-sach';
export const LOCKED = 'so-y-te-thong-ke';
/** `SampleTokens.revoked` is of this one. */
export const REVOKED = 'so-xay-dung-phan-mem-cu';
/** `SampleTokens.elsewhere` is of this one, which may only call from an address that nobody has. */
export const ELSEWHERE = 'thu-dia-chi';
export const CLOSED_DISTRICT = 'mot-cua-huyen-sin-ho';
export const WITHOUT_CALLS = 'thu-gioi-han';
export const TAM_DUNG = 'mot-cua-sin-ho';
export const HET_HAN_MUC = 'van-phong-bao-cao';
export const HET_HAN = 'thanh-tra-khai-thac';
export const AUDITOR = 'quan-tri-kiem-tra';

export const DON_VI = '/data/H35.11/don-vi-hanh-chinh/v1';
export const CO_QUAN = '/data/H35.11/danh-muc-co-quan/v1';
export const HO_SO = '/data/H35.01.01/ho-so-mot-cua/v1';
export const DOANH_NGHIEP = '/data/H35.12/dang-ky-doanh-nghiep/v1';
export const THU_NGHIEM = '/data/H35.10/thu-nghiem/v1';
export const PU_SAM_CAP = `${DON_VI}/don-vi/03532?ngay=2025-08-01`;

export type Parts = Partial<Pick<SampleCall, 'method' | 'headers' | 'body'>>;

export const answered = (
  title: string,
  client: string,
  url: string,
  contains: string,
  parts: Parts = {},
): SampleCall => ({
  title,
  client,
  method: 'GET',
  url,
  headers: {},
  body: null,
  ...parts,
  expect: { status: 200, code: null, contains },
});

export const refused = (
  title: string,
  client: string | null,
  url: string,
  [status, code]: readonly [number, ProblemCode],
  parts: Parts = {},
): SampleCall => ({
  title,
  client,
  method: 'GET',
  url,
  headers: {},
  body: null,
  ...parts,
  expect: { status, code, contains: code },
});

export const json = (body: unknown): Parts => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body,
});
export const bearer = (token: string): Parts => ({ headers: { authorization: `Bearer ${token}` } });
