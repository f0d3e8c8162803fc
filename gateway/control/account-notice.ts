import type { Knex } from 'knex';
import type { Bilingual } from '../base/problem.js';
import { postNotice } from '../store/notices.js';
import type { ControlCall } from './handler.js';

export type AccountEvent = 'account_made' | 'credential_made' | 'password_reset' | 'second_factor_reset';

/** An account, whose it is, and what was done with it. */
export interface AccountNews {
  readonly event: AccountEvent;
  readonly agency: string;
  readonly noun: 'system' | 'person';
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const WHAT: Readonly<Record<AccountEvent, Bilingual>> = {
  account_made: { vi: 'được cấp mới', en: 'was registered' },
  credential_made: { vi: 'được cấp thêm cách xác thực', en: 'was given a further credential' },
  password_reset: { vi: 'được đặt lại mật khẩu', en: 'was given a new password' },
  second_factor_reset: { vi: 'bị gỡ yếu tố xác thực thứ hai', en: 'lost its second factor' },
};

/** Whoever can prove to be an agency's account can act in its name: of ways that another agency made, it is told. */
export async function tellOwner(
  trx: Knex,
  { system, user, agency: by }: ControlCall['caller'],
  { event, agency, noun, key, at }: AccountNews,
): Promise<void> {
  if (agency === by) return;
  const { vi, en } = WHAT[event];
  const who = user ?? system;
  await postNotice(trx, {
    ...{ agency, kind: event, noun, key, at },
    title: { vi: `Tài khoản ${key} ${vi}`, en: `The account ${key} ${en}` },
    text: {
      vi: `Tài khoản ${key} của cơ quan ${vi} bởi «${who}» (${by}). Nếu cơ quan không đề nghị, hãy yêu cầu khóa tài khoản ngay.`,
      en: `The account ${key} of the agency ${en} by ${who} (${by}). If the agency did not ask for it, have it locked at once.`,
    },
  });
}
