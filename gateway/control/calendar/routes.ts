import { endOfDay, workingTerm } from '../../base/working-days.js';
import {
  type CalendarDayKind,
  type CalendarDayRow,
  calendarYears,
  daysBetween,
  deleteCalendarDay,
  findCalendarDay,
  pageCalendarDays,
  putCalendarDay,
  readCalendar,
} from '../../store/calendar.js';
import { changing } from '../../store/changes.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { notFound } from '../refusals.js';
import { assertBasisKnown, assertKindFits } from './rules.js';

interface DayBody {
  readonly kind: CalendarDayKind;
  readonly name: string;
  readonly legalBasis?: string | null;
}

const iso = (ms: number): string => new Date(ms).toISOString();

function view(row: CalendarDayRow) {
  const { day, kind, name_vi: name, legal_basis: legalBasis } = row;
  return { day, kind, name, legalBasis, createdAt: iso(row.created_at), updatedAt: iso(row.updated_at) };
}

async function list({ database }: ControlContext, { query }: ControlCall): Promise<ControlResult> {
  const page = await pageCalendarDays(database, query, pageAsked(query));
  return { status: 200, body: pageBody(page, view) };
}

async function put(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const now = clock.now();
  const day = call.path['day'] ?? '';
  const { kind, name, legalBasis = null } = call.body as DayBody;
  assertKindFits({ day, kind });
  const { before, after } = await changing(
    database,
    { noun: 'calendar_day', key: day, at: now },
    async (trx) => {
      await assertBasisKnown(trx, legalBasis);
      const known = await findCalendarDay(trx, day);
      const row: CalendarDayRow = {
        day,
        kind,
        name_vi: name.normalize('NFC').trim(),
        legal_basis: legalBasis,
        created_at: known?.created_at ?? now,
        updated_at: now,
      };
      await putCalendarDay(trx, row);
      return { before: known === undefined ? null : view(known), after: view(row) };
    },
  );
  await context.refresh();
  return { status: 200, body: after, act: { noun: 'calendar_day', key: day, before, after } };
}

async function remove(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const day = call.path['day'] ?? '';
  const change = { noun: 'calendar_day', key: day, at: clock.now() } as const;
  const before = await changing(database, change, async (trx) => {
    const known = await findCalendarDay(trx, day);
    if (known === undefined) throw notFound();
    await deleteCalendarDay(trx, day);
    return view(known);
  });
  await context.refresh();
  return { status: 204, act: { noun: 'calendar_day', key: day, before, after: null } };
}

/** Years that a term touches and that nobody entered a day for: the last day is then probably too early. */
function yearsWithoutDays(from: string, to: string, known: readonly number[]): number[] {
  const first = Number(from.slice(0, 4));
  const years = Array.from({ length: Number(to.slice(0, 4)) - first + 1 }, (_, i) => first + i);
  return years.filter((year) => !known.includes(year));
}

async function due({ database }: ControlContext, { query }: ControlCall): Promise<ControlResult> {
  const { from, days } = query as { from: string; days: number };
  const { knex } = database;
  const term = workingTerm(from, days, await readCalendar(knex));
  const entered = new Map((await daysBetween(knex, from, term.end)).map((row) => [row.day, row]));
  const skipped = term.skipped.map(({ day, reason }) => {
    const row = entered.get(day);
    return { day, reason, name: row?.name_vi ?? null, legalBasis: row?.legal_basis ?? null };
  });
  const body = {
    from,
    days,
    lastDay: term.end,
    dueAt: iso(endOfDay(term.end)),
    skipped,
    yearsWithoutDays: yearsWithoutDays(from, term.end, await calendarYears(knex)),
  };
  return { status: 200, body };
}

/** The working-day calendar: days off and swap days, and the terms that are counted by them. */
export function calendarRoutes(context: ControlContext): ControlHandlers {
  return {
    listCalendarDays: (call) => list(context, call),
    putCalendarDay: (call) => put(context, call),
    deleteCalendarDay: (call) => remove(context, call),
    getWorkingTerm: (call) => due(context, call),
  };
}
