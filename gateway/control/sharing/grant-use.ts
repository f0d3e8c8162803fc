import { vietnamDay } from '../../base/calendar.js';
import { countGrantUse } from '../../audit/grant-use.js';
import { GRANT_SIDES, grantsInForce, type GrantRow } from '../../store/grants.js';
import { type GrantUseRow, joinFields, OUTCOMES, useOfGrants } from '../../store/grant-use.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { mustSeeGrant } from './grants.js';
import { seesAll } from './parties.js';
import { flagOf } from './guards.js';
import { isoOrNull } from './views.js';

const DAY_MS = 86_400_000;

type Settings = ControlContext['config']['grantReview'];

const parsed = (text: string | null): unknown => (text === null ? null : JSON.parse(text));

/** What went to the source: what was refused on the way does not count against a quota. */
const madeOf = (row: GrantUseRow): number => row.answered + row.failed + row.aborted;

function countsOf(rows: readonly GrantUseRow[]): Record<string, number> {
  const sums = OUTCOMES.map(
    (outcome) => [outcome, rows.reduce((sum, row) => sum + row[outcome], 0)] as const,
  );
  return { total: sums.reduce((sum, [, n]) => sum + n, 0), ...Object.fromEntries(sums) };
}

/** The day with the most calls, and which share of the approved quota it took. */
function peakOf(rows: readonly GrantUseRow[], approved: number | null) {
  const days = new Map<string, number>();
  for (const row of rows) days.set(row.day, (days.get(row.day) ?? 0) + madeOf(row));
  const [day = null, calls = 0] = [...days].sort(([, a], [, b]) => b - a)[0] ?? [];
  return {
    day,
    calls,
    approved,
    percent: approved === null ? null : Math.round((calls * 1000) / approved) / 10,
  };
}

/** Operation → calls, and of its approved fields those that left and those that never did. */
function operationsOf(grant: GrantRow, rows: readonly GrantUseRow[]) {
  const fields = parsed(grant.fields) as Record<string, string[]> | null;
  const approved = (parsed(grant.operations) as string[] | null) ?? [];
  const ids = [...new Set([...approved, ...rows.map((row) => row.operation)])].sort();
  return ids.map((operation) => {
    const own = rows.filter((row) => row.operation === operation);
    const left = own.reduce<string | null>((all, row) => joinFields(all, row.fields), '[]');
    const disclosed = parsed(left) as string[] | null;
    const allowed = fields === null ? null : (fields[operation] ?? []);
    return {
      ...{ operation, approved: grant.operations === null || approved.includes(operation) },
      ...{ calls: countsOf(own)['total'] ?? 0, approvedFields: allowed, disclosedFields: disclosed },
      unusedFields:
        allowed === null || disclosed === null ? [] : allowed.filter((field) => !disclosed.includes(field)),
    };
  });
}

export const grantSince = (grant: GrantRow): number => Math.max(grant.valid_from, grant.state_since);

export const isHeld = (grant: GrantRow): boolean => GRANT_SIDES.some((side) => flagOf(grant, side) !== null);

const since = (now: number, days: number): string => vietnamDay(now - days * DAY_MS);

export function lastUse(rows: readonly GrantUseRow[]): number | null {
  return rows.length === 0 ? null : Math.max(...rows.map((row) => row.last_at));
}

/** Old enough to be judged, at work, and not called for so long. One that somebody suspended is in hand already. */
export function isDormant(
  grant: GrantRow,
  used: number | null,
  now: number,
  { dormantDays }: Pick<Settings, 'dormantDays'>,
): boolean {
  const before = now - dormantDays * DAY_MS;
  return grant.state === 'active' && !isHeld(grant) && grantSince(grant) <= before && (used ?? 0) <= before;
}

/** What could be taken away; null where all that was approved is used, or there is too little to judge by. */
function spareOf(grant: GrantRow, rows: readonly GrantUseRow[], now: number, settings: Settings) {
  const { dormantDays, quotaPercent } = settings;
  if (grant.state !== 'active' || grantSince(grant) > now - dormantDays * DAY_MS) return null;
  const recent = rows.filter((row) => row.day >= since(now, dormantDays));
  if (recent.length === 0) return null;
  const operations = operationsOf(grant, recent);
  const quota = peakOf(recent, grant.approved_per_day);
  const unused = operations.filter(({ approved, calls }) => approved && calls === 0);
  const partly = operations.filter(({ calls, unusedFields }) => calls > 0 && unusedFields.length > 0);
  const spare = {
    operations: unused.map(({ operation }) => operation),
    fields: Object.fromEntries(partly.map(({ operation, unusedFields }) => [operation, unusedFields])),
    quota: quota.percent !== null && quota.percent <= quotaPercent ? quota : null,
  };
  return spare.operations.length + partly.length === 0 && spare.quota === null ? null : spare;
}

/** A grant held against its use. */
export function useView(grant: GrantRow, rows: readonly GrantUseRow[], now: number, settings: Settings) {
  const used = lastUse(rows);
  const recent = rows.filter((row) => row.day >= since(now, settings.dormantDays));
  return {
    ...{ grant: grant.id, service: grant.service_id, provider: grant.provider },
    ...{ consumer: grant.consumer, system: grant.system_id, purpose: grant.purpose },
    calls: countsOf(rows),
    last30Days: countsOf(rows.filter((row) => row.day >= since(now, 30))),
    last90Days: countsOf(rows.filter((row) => row.day >= since(now, 90))),
    lastUse: isoOrNull(used),
    operations: operationsOf(grant, recent),
    quotaPeak: peakOf(rows, grant.approved_per_day),
    dormant: isDormant(grant, used, now, settings),
    spare: spareOf(grant, rows, now, settings),
  };
}

export async function use(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock, config } = context;
  const grant = await mustSeeGrant(database.knex, call);
  await countGrantUse(database);
  const rows = (await useOfGrants(database.knex, [grant.id])).get(grant.id) ?? [];
  return { status: 200, body: useView(grant, rows, clock.now(), config.grantReview) };
}

/** Grants that are dormant or over-broad, of those that the caller sees. */
export async function listUse(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock, config } = context;
  const { caller, query } = call;
  const { state, limit = 50, cursor } = query as { state: string; limit?: number; cursor?: string };
  await countGrantUse(database);
  const grants = await grantsInForce(database.knex, seesAll(caller) ? null : caller.agency);
  const use = await useOfGrants(
    database.knex,
    grants.map(({ id }) => id),
  );
  const views = grants
    .filter(({ id }) => cursor === undefined || id > cursor)
    .map((grant) => useView(grant, use.get(grant.id) ?? [], clock.now(), config.grantReview))
    .filter(({ dormant, spare }) => (state === 'dormant' ? dormant : spare !== null));
  const items = views.slice(0, limit);
  const next = views.length > limit ? (items.at(-1)?.grant ?? null) : null;
  return { status: 200, body: { items, next } };
}
