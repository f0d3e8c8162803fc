import type { Knex } from 'knex';
import type { Bilingual } from '../base/problem.js';

/** What an agency is told of something that was done to a service of its own. */
export interface ProviderNotice {
  /** The agency that is told. */
  readonly agency: string;
  /** Which sort of thing happened, e.g. `break_glass.used`. */
  readonly kind: string;
  readonly noun: string;
  readonly key: string;
  readonly title: Bilingual;
  readonly text: Bilingual;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Posts a notice in the transaction of what it tells of. */
export type PostNotice = (trx: Knex.Transaction, notice: ProviderNotice) => Promise<void>;

/** The parts of an access in an emergency that its service's provider is told of. */
export interface TellingAccess {
  readonly number: string;
  readonly service_id: string;
  readonly provider: string;
  readonly actor: string;
  readonly until_at: number;
}

export type AccessEvent = 'approved' | 'used' | 'closed' | 'ended';

const TITLES: Readonly<Record<AccessEvent, Bilingual>> = {
  approved: { vi: 'Truy cập khẩn cấp được phê duyệt', en: 'An emergency access was approved' },
  used: { vi: 'Truy cập khẩn cấp được sử dụng', en: 'An emergency access was used' },
  closed: { vi: 'Truy cập khẩn cấp đã được đóng', en: 'An emergency access was closed' },
  ended: { vi: 'Truy cập khẩn cấp đã hết thời gian', en: 'The time of an emergency access is over' },
};

function textOf(event: AccessEvent, access: TellingAccess, detail: string): Bilingual {
  const { number, service_id: service, actor } = access;
  const until = new Date(access.until_at).toISOString();
  const texts: Record<AccessEvent, Bilingual> = {
    approved: {
      vi: `«${actor}» được truy cập khẩn cấp dịch vụ ${service} đến ${until} theo số ${number}. Lý do: ${detail}`,
      en: `${actor} may reach the service ${service} in an emergency until ${until}, number ${number}. Reason: ${detail}`,
    },
    used: {
      vi: `«${actor}» đã dùng truy cập khẩn cấp số ${number} cho dịch vụ ${service}: ${detail}.`,
      en: `${actor} used emergency access ${number} to the service ${service}: ${detail}.`,
    },
    closed: {
      vi: `Truy cập khẩn cấp số ${number} vào dịch vụ ${service} đã được «${detail}» đóng.`,
      en: `Emergency access ${number} to the service ${service} was closed by ${detail}.`,
    },
    ended: {
      vi: `Truy cập khẩn cấp số ${number} của «${actor}» vào dịch vụ ${service} đã hết thời gian, số lần dùng: ${detail}.`,
      en: `The time of emergency access ${number} of ${actor} to the service ${service} is over; it was used ${detail} times.`,
    },
  };
  return texts[event];
}

/**
 * What the provider of a service is told of an access to it in an emergency.
 *
 * @param detail approved: the reason · used: the operation · closed: by whom · ended: how often it was used
 */
export function tellProvider(
  event: AccessEvent,
  access: TellingAccess,
  detail: string,
  at: number,
): ProviderNotice {
  return {
    agency: access.provider,
    kind: `break_glass.${event}`,
    noun: 'break_glass',
    key: access.number,
    title: TITLES[event],
    text: textOf(event, access, detail),
    at,
  };
}

/** Posts them where notices are posted; whoever calls names them in the record too. */
export async function postToProvider(
  { postNotice }: { readonly postNotice?: PostNotice },
  trx: Knex.Transaction,
  providerNotices: readonly ProviderNotice[],
): Promise<void> {
  for (const notice of providerNotices) await postNotice?.(trx, notice);
}
