import { countSubject, latestBasis, searchSubject } from '../../audit/subject-search.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { invalid } from '../refusals.js';
import { accessesOf } from './accesses.js';
import { type Asked, queryOf, scopeOf, traceOf } from './asking.js';
import { groupsOf, type Report, reportAsCsv, reportAsText, statementOf, titleOf } from './report.js';

/** More than a person's data is looked at in years; a report that would hold more says so. */
const LONGEST_REPORT = 10_000;

interface SearchBody extends Asked {
  readonly limit?: number;
  readonly cursor?: string;
}

function placeOf(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const place = /^[0-9]{1,15}$/.test(cursor) ? Number(cursor) : Number.NaN;
  if (Number.isSafeInteger(place)) return place;
  throw invalid(
    '/body/cursor',
    'format',
    'không phải con trỏ do nền tảng cấp',
    'is not one that we gave out',
  );
}

async function search(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const body = call.body as SearchBody;
  const { limit = 50, cursor } = body;
  const scope = scopeOf(call.caller);
  const before = placeOf(cursor);
  const found = await searchSubject(context.database, queryOf(context, body), scope, { limit, before });
  const items = await accessesOf(context, found.items);
  const next = found.more ? String(found.items.at(-1)?.index ?? 0) : null;
  return {
    status: 200,
    body: { items, next },
    ...traceOf(context, call, body, { found: items.length }),
  };
}

async function report(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const body = call.body as Asked & { readonly format?: 'json' | 'csv' | 'text' };
  const scope = scopeOf(call.caller);
  const query = queryOf(context, body);
  const { items } = await searchSubject(context.database, query, scope, { limit: LONGEST_REPORT });
  const total = Math.max(await countSubject(context.database, query, scope), items.length);
  const basis = await latestBasis(context.database);
  const accesses = await accessesOf(context, items);
  const made: Report = {
    ...{ title: titleOf(body), kind: body.kind, reason: body.reason.trim() },
    ...{ from: body.from ?? null, to: body.to ?? null },
    madeAt: new Date(context.clock.now()).toISOString(),
    ...{ total, shown: accesses.length, groups: groupsOf(accesses), accesses },
    basis: basis === null ? null : { origin: basis.origin, treeSize: basis.treeSize, root: basis.root },
    statement: statementOf(basis),
  };
  return {
    status: 200,
    ...written(made, body.format ?? 'json'),
    ...traceOf(context, call, body, { found: total, format: body.format ?? 'json' }),
  };
}

function written(made: Report, format: 'json' | 'csv' | 'text'): Pick<ControlResult, 'body' | 'headers'> {
  if (format === 'json') return { body: made };
  const [body, type] =
    format === 'csv' ? [reportAsCsv(made), 'text/csv'] : [reportAsText(made), 'text/plain'];
  return { body, headers: { 'content-type': `${type}; charset=utf-8` } };
}

/** Who looked at a person's data, when, why and under which approval; asking is itself recorded. */
export function subjectRoutes(context: ControlContext): ControlHandlers {
  return {
    searchSubject: (call) => search(context, call),
    reportSubject: (call) => report(context, call),
  };
}
