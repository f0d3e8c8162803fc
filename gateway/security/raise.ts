import type { Knex } from 'knex';
import type { AuditRecord } from '../audit/record.js';
import { systemAct } from '../audit/system-act.js';
import { vietnamDay } from '../base/calendar.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import { uuidv7 } from '../base/ids.js';
import type { Bilingual } from '../base/problem.js';
import { findAgency } from '../store/agencies.js';
import { postNotice } from '../store/notices.js';
import { oweRecord } from '../store/owed-records.js';
import { eventsSince, insertEvent, saidSince, type SecurityEventRow } from '../store/security.js';
import type { SecurityKind } from './signs.js';

export interface Finding {
  readonly kind: SecurityKind;
  readonly subject: string;
  readonly window: { readonly from: number; readonly to: number };
  readonly count: number;
  readonly threshold: number;
}

export interface RaiseParts {
  readonly clock: Clock;
  readonly config: Pick<Config, 'security' | 'platform'>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Notices of one kind in an hour; the list has the others. */
const MOST_NOTICES = 20;

const row = (severity: string, vi: string, en: string): { severity: string; title: Bilingual } => ({
  severity,
  title: { vi, en },
});

const KINDS: Readonly<Record<SecurityKind, { severity: string; title: Bilingual }>> = {
  guessing: row('high', 'Dấu hiệu dò mật khẩu, mã truy cập', 'Signs of guessing'),
  foreign_token: row('medium', 'Mã truy cập lạ', 'Foreign tokens'),
  refused_flood: row('medium', 'Dồn dập lời gọi bị từ chối', 'A flood of refusals'),
  unusual_volume: row('medium', 'Lượng gọi bất thường', 'An unusual volume of calls'),
  outside_hours: row('low', 'Gọi ngoài giờ đã khai', 'Calls outside the declared hours'),
};

const iso = (ms: number): string => new Date(ms).toISOString();

function recordOf(event: SecurityEventRow): AuditRecord {
  const { id, kind, severity, subject, count, threshold, at } = event;
  const window = { from: iso(event.window_from), to: iso(event.window_to) };
  const after = { kind, severity, subject, window, count, threshold };
  const target = { noun: 'security_event', key: id, after };
  return systemAct(at, { operation: 'note-security-event', outcome: 'answered', target }, id);
}

async function tell(trx: Knex, { config }: RaiseParts, event: SecurityEventRow): Promise<void> {
  const { agencyCode } = config.platform;
  if ((await findAgency(trx, agencyCode))?.code !== agencyCode) return;
  const { kind, subject, at, count, threshold } = event;
  const many = (await eventsSince(trx, kind, at - HOUR_MS)) > MOST_NOTICES;
  const [from, to] = [iso(event.window_from), iso(event.window_to)];
  await postNotice(trx, {
    ...{ agency: agencyCode, role: 'operator', kind: 'security_event' },
    ...{ noun: 'security_event', key: event.id, at, title: KINDS[kind as SecurityKind].title },
    text: {
      vi: many
        ? 'Nhiều sự kiện cùng loại trong một giờ; xem danh sách sự kiện an toàn.'
        : `${subject}: ${count} lần, từ ${from} đến ${to} (ngưỡng ${threshold}).`,
      en: many
        ? 'Many events of this kind within an hour; see the list of security events.'
        : `${subject}: ${count} times, from ${from} to ${to} (threshold ${threshold}).`,
    },
    // One a day for each subject: what goes on is in the list and the record.
    dedupe: `security:${kind}:${many ? `many:${Math.floor(at / HOUR_MS)}` : `${subject}:${vietnamDay(at)}`}`,
  });
}

/** Notes a finding, with its record and word to the operators, unless the same was said not long ago. */
export async function raise(trx: Knex, parts: RaiseParts, finding: Finding): Promise<void> {
  const { kind, subject, window, count, threshold } = finding;
  const quiet = parts.config.security.quietMinutes * MINUTE_MS;
  if (await saidSince(trx, kind, subject, window.to - quiet)) return;
  const at = parts.clock.now();
  const event: SecurityEventRow = {
    ...{ id: uuidv7(at), kind, subject, count, threshold, at, severity: KINDS[kind].severity },
    ...{ window_from: window.from, window_to: window.to },
  };
  await insertEvent(trx, event);
  await oweRecord(trx, recordOf(event));
  await tell(trx, parts, event);
}
