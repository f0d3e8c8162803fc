import { shownDay, vietnamDay } from '../base/calendar.js';
import type { Bilingual } from '../base/problem.js';
import { type Notice, postedBefore, postNotice } from '../store/notices.js';
import { agenciesWithRole, endingAccounts, endingCredentials } from '../store/systems.js';
import type { ControlContext } from './handler.js';

const DAY_MS = 86_400_000;

const CREDENTIALS: Readonly<Record<'secret' | 'key' | 'certificate', Bilingual>> = {
  secret: { vi: 'Mã bí mật', en: 'A secret' },
  key: { vi: 'Khóa', en: 'A key' },
  certificate: { vi: 'Chứng thư số', en: 'A certificate' },
};

/** Something that ends, and whose it is. */
interface Ending {
  readonly noun: 'system' | 'person';
  readonly key: string;
  /** Names what ends, together with when: moved to a later end, it is told of anew. */
  readonly what: string;
  readonly agency: string;
  readonly days: number;
  readonly title: Bilingual;
  readonly text: Bilingual;
}

/** The nearest of the announced distances that has been reached; null when none has. */
function reached(left: number, warnDays: readonly number[]): number | null {
  const passed = warnDays.filter((days) => left <= days);
  return passed.length === 0 ? null : Math.min(...passed);
}

async function credentials({ database, config }: Parts, now: number): Promise<Ending[]> {
  const { warnDays } = config.accounts;
  const rows = await endingCredentials(database.knex, now, now + Math.max(...warnDays) * DAY_MS);
  return rows.flatMap(({ id, kind, system_id: key, agency_code: agency, expires_at: at }) => {
    const days = reached((at - now) / DAY_MS, warnDays);
    if (days === null) return [];
    const day = shownDay(vietnamDay(at));
    const { vi, en } = CREDENTIALS[kind];
    const title = { vi: `${vi} của hệ thống ${key} sắp hết hạn`, en: `${en} of ${key} ends soon` };
    const text = {
      vi: `${vi} ${id} hết hạn ngày ${day}. Hãy cấp cái mới, chuyển hệ thống sang dùng, rồi thu hồi cái cũ.`,
      en: `${en} (${id}) ends on ${day}. Add a new one, change the system over, then revoke the old one.`,
    };
    return [{ noun: 'system' as const, key, what: `${id}:${at}`, agency, days, title, text }];
  });
}

async function accounts(
  { database, config }: Parts,
  now: number,
  table: 'systems' | 'people',
): Promise<Ending[]> {
  const { warnDays } = config.accounts;
  const until = vietnamDay(now + Math.max(...warnDays) * DAY_MS);
  const rows = await endingAccounts(database.knex, table, vietnamDay(now), until);
  return rows.flatMap(({ id: key, agency_code: agency, valid_to: last }) => {
    const left = (Date.parse(last) - Date.parse(vietnamDay(now))) / DAY_MS;
    const days = reached(left, warnDays);
    if (days === null) return [];
    const title = { vi: `Tài khoản ${key} sắp hết thời hạn`, en: `The account ${key} ends soon` };
    const text = {
      vi: `Tài khoản ${key} dùng được hết ngày ${shownDay(last)}. Cần dùng tiếp thì gửi văn bản đề nghị gia hạn.`,
      en: `The account ${key} works until the end of ${shownDay(last)}. Ask in writing to have it extended.`,
    };
    const noun = table === 'systems' ? ('system' as const) : ('person' as const);
    return [{ noun, key, what: `${noun}:${key}:${last}`, agency, days, title, text }];
  });
}

type Parts = Pick<ControlContext, 'database' | 'config'>;

type Warning = Notice & { readonly dedupe: string };

/** To the agency whose it is, and to those who would give a new one. */
function warningsOf(ending: Ending, operators: readonly string[], at: number): Warning[] {
  const { noun, key, what, agency, days, title, text } = ending;
  const kind = noun === 'person' ? 'account_ending' : 'access_ending';
  const news = { kind, noun, key, title, text, at };
  const dedupe = `ending:${what}:${days}`;
  return [
    { ...news, agency, dedupe },
    ...operators
      .filter((operator) => operator !== agency)
      .map((operator) => ({ ...news, agency: operator, role: 'operator', dedupe: `${dedupe}:${operator}` })),
  ];
}

/**
 * Warns of credentials and accounts that end: once for each distance of `accounts.warnDays` that is reached, whichever
 * node looks first; after a stop, only for the nearest one.
 */
export async function warnOfEndings(parts: Parts, now: number): Promise<void> {
  if (parts.config.accounts.warnDays.length === 0) return;
  const found = [
    ...(await credentials(parts, now)),
    ...(await accounts(parts, now, 'systems')),
    ...(await accounts(parts, now, 'people')),
  ];
  if (found.length === 0) return;
  const { knex } = parts.database;
  const operators = await agenciesWithRole(knex, 'operator');
  const warnings = found.flatMap((ending) => warningsOf(ending, operators, now));
  // Looked at before it is written: what was told weeks ago must not take the write lock at every look.
  const told = await postedBefore(
    knex,
    warnings.map(({ dedupe }) => dedupe),
  );
  for (const warning of warnings)
    if (!told.has(warning.dedupe)) await knex.transaction((trx) => postNotice(trx, warning));
}
