import type { Knex } from 'knex';
import { followRecord } from '../audit/follow.js';
import type { AuditRecord } from '../audit/record.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import { type Hours, withinHours } from '../base/hours.js';
import type { Database } from '../store/database.js';
import { addCount, countedBetween, countsAt, deleteCountsBefore } from '../store/security.js';
import { raise } from './raise.js';
import { type SecurityKind, type Sign, signsOf } from './signs.js';
import { unusualFrom } from './volume.js';

const NAME = 'security';
/** SQLite's one write lock is held for as long, and the log waits for it. */
const BATCH = 500;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const WEEK_HOURS = 168;

export interface WatchParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly config: Pick<Config, 'security' | 'platform'>;
}

const SETTINGS = { guessing: 'guessing', foreign_token: 'foreign', refused_flood: 'flood' } as const;
type CountedKind = keyof typeof SETTINGS;

const isCountedKind = (kind: SecurityKind): kind is CountedKind => kind in SETTINGS;

/** One count for each subject and slot, however many records speak of it. */
function gathered(signs: readonly Sign[], slotMs: number): Sign[] {
  const found = new Map<string, Sign>();
  for (const sign of signs) {
    const key = `${sign.kind} ${Math.floor(sign.at / slotMs)} ${sign.subject}`;
    const known = found.get(key);
    found.set(key, known === undefined ? sign : { ...known, count: known.count + sign.count });
  }
  return [...found.values()];
}

async function refusals(trx: Knex, from: number, to: number): Promise<AuditRecord[]> {
  const rows = await trx('records')
    .where('seq', '>', from)
    .where('seq', '<=', to)
    .where({ outcome: 'refused' })
    .orderBy('seq')
    .select<{ leaf: string }[]>('leaf');
  return rows.map(({ leaf }) => JSON.parse(leaf) as AuditRecord);
}

interface Made {
  readonly system: string;
  readonly at: number;
  readonly count: number;
}

/** How many calls each system made in each minute; nothing of them is looked into. */
async function calls(trx: Knex, from: number, to: number): Promise<Made[]> {
  const rows: unknown = await trx('records')
    .select('system')
    .select(trx.raw(`received_at / ${MINUTE_MS} AS minute`))
    .count({ n: '*' })
    .where('seq', '>', from)
    .where('seq', '<=', to)
    .where({ kind: 'closing', plane: 'data' })
    .whereNotNull('system')
    .groupBy('system', 'minute');
  // The engine may divide into fractions of a minute.
  return (rows as { system: string; minute: number; n: number }[]).map(({ system, minute, n }) => ({
    system,
    at: Math.floor(minute) * MINUTE_MS,
    count: n,
  }));
}

async function judgeCounted(trx: Knex, parts: WatchParts, sign: Sign, kind: CountedKind): Promise<void> {
  const { count: threshold, minutes } = parts.config.security[SETTINGS[kind]];
  const { subject } = sign;
  const minute = Math.floor(sign.at / MINUTE_MS);
  await addCount(trx, { kind, subject, slot: minute, count: sign.count });
  const first = minute - minutes + 1;
  const count = await countedBetween(trx, kind, subject, first, minute);
  if (count < threshold) return;
  const window = { from: first * MINUTE_MS, to: (minute + 1) * MINUTE_MS };
  await raise(trx, parts, { kind, subject, window, count, threshold });
}

/** From how many calls in this hour on there is something to say; null: never. */
async function hourlyThreshold(
  trx: Knex,
  { config }: WatchParts,
  { kind, subject }: Sign,
  hour: number,
): Promise<number | null> {
  const { volume, hours } = config.security;
  if (kind === 'outside_hours') return hours.count;
  const weeks = Array.from({ length: volume.weeks }, (_, i) => hour - (i + 1) * WEEK_HOURS);
  return unusualFrom(await countsAt(trx, kind, subject, weeks), volume);
}

async function judgeHourly(trx: Knex, parts: WatchParts, sign: Sign): Promise<void> {
  const { kind, subject } = sign;
  const hour = Math.floor(sign.at / HOUR_MS);
  await addCount(trx, { kind, subject, slot: hour, count: sign.count });
  const count = await countedBetween(trx, kind, subject, hour, hour);
  const threshold = await hourlyThreshold(trx, parts, sign, hour);
  if (threshold === null || count < threshold) return;
  const window = { from: hour * HOUR_MS, to: (hour + 1) * HOUR_MS };
  await raise(trx, parts, { kind, subject, window, count, threshold });
}

async function declaredHours(trx: Knex): Promise<Map<string, Hours>> {
  const rows = await trx('systems')
    .whereNotNull('hours')
    .select<{ id: string; hours: string }[]>('id', 'hours');
  return new Map(rows.map(({ id, hours }) => [id, JSON.parse(hours) as Hours]));
}

async function judgeCalls(trx: Knex, parts: WatchParts, from: number, to: number): Promise<void> {
  const made = await calls(trx, from, to);
  if (made.length === 0) return;
  const declared = await declaredHours(trx);
  const signs = made.flatMap(({ system, at, count }): Sign[] => {
    const about = { subject: `system:${system}`, at, count };
    const hours = declared.get(system);
    const volume: Sign = { kind: 'unusual_volume', ...about };
    if (hours === undefined || withinHours(hours, at)) return [volume];
    return [volume, { kind: 'outside_hours', ...about }];
  });
  for (const sign of gathered(signs, HOUR_MS)) await judgeHourly(trx, parts, sign);
}

async function judge(trx: Knex.Transaction, parts: WatchParts, from: number, to: number): Promise<void> {
  const signs = (await refusals(trx, from, to)).flatMap((record) => signsOf(record));
  for (const sign of gathered(signs, MINUTE_MS))
    if (isCountedKind(sign.kind)) await judgeCounted(trx, parts, sign, sign.kind);
  await judgeCalls(trx, parts, from, to);
}

async function forget({ database, clock, config }: WatchParts): Promise<void> {
  const { security } = config;
  const now = clock.now();
  for (const kind of Object.keys(SETTINGS) as CountedKind[]) {
    const before = Math.floor(now / MINUTE_MS) - security[SETTINGS[kind]].minutes - 1440;
    await deleteCountsBefore(database.knex, kind, before);
  }
  const hours = (security.volume.weeks + 1) * WEEK_HOURS;
  for (const kind of ['unusual_volume', 'outside_hours'])
    await deleteCountsBefore(database.knex, kind, Math.floor(now / HOUR_MS) - hours);
}

/** Looks through what the log has gained for what the operators should know; a stop only delays an event. */
export async function watchRecord(parts: WatchParts): Promise<void> {
  const look = (trx: Knex.Transaction, from: number, to: number) => judge(trx, parts, from, to);
  await followRecord(parts.database, { name: NAME, batch: BATCH, look });
  await forget(parts);
}
