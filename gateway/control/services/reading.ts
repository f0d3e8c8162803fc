import {
  findRevision,
  findService,
  pageRevisions,
  pageServices,
  type RevisionRow,
  type ServiceFilter,
  type ServiceRow,
  serviceCredentials,
} from '../../store/services.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { invalid, notFound } from '../refusals.js';
import { noteReading } from './emergency.js';
import { assertSees, draftsOf, mustReach, reaches, SEE_ALL, SEE_MANIFESTS } from './rules.js';
import { revisionView, serviceView } from './views.js';

export function idOf({ path }: ControlCall): string {
  return `${path['provider'] ?? ''}/${path['slug'] ?? ''}/${path['version'] ?? ''}`;
}

export async function list({ database }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { query, caller } = call;
  const filter = { ...(query as Omit<ServiceFilter, 'draftsOf'>), draftsOf: draftsOf(caller) };
  const page = await pageServices(database, filter, pageAsked(query));
  const view = (row: ServiceRow) => serviceView(row, reaches(caller, row.provider, SEE_ALL));
  return { status: 200, body: pageBody(page, view) };
}

async function mustSee({ database }: ControlContext, call: ControlCall): Promise<ServiceRow> {
  const row = await findService(database.knex, idOf(call));
  if (row === undefined) throw notFound();
  assertSees(call.caller, row);
  return row;
}

export async function get(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const row = await mustSee(context, call);
  const drafts = reaches(call.caller, row.provider, SEE_ALL);
  const latest = drafts ? await mustHave(context, row, row.latest_revision) : undefined;
  return { status: 200, body: serviceView(row, drafts, latest?.sha256) };
}

async function mustHave(context: ControlContext, row: ServiceRow, revision: number): Promise<RevisionRow> {
  const found = await findRevision(context.database.knex, row.id, revision);
  if (found === undefined) throw notFound();
  return found;
}

export async function manifest(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { knex } = context.database;
  const row = await mustReach(knex, idOf(call), call.caller, SEE_MANIFESTS);
  const asked = call.query['revision'] as number | undefined;
  const found = await mustHave(context, row, asked ?? row.latest_revision);
  const reading = await noteReading(context, row.id, call);
  const credentialNames = (await serviceCredentials(knex, row.id)).map(({ name }) => name).sort();
  const { revision, sha256 } = found;
  return {
    status: 200,
    body: {
      revision,
      sha256,
      manifest: JSON.parse(found.declared ?? found.manifest) as unknown,
      credentialNames,
    },
    ...reading,
  };
}

export async function document(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const row = await mustSee(context, call);
  const asked = call.query['revision'] as number | undefined;
  const found = await mustHave(context, row, asked ?? row.published_revision ?? row.latest_revision);
  if (found.published_at === null && !reaches(call.caller, row.provider, SEE_ALL)) throw notFound();
  const type = found.document.trimStart().startsWith('{') ? 'json' : 'yaml';
  return {
    status: 200,
    body: found.document,
    headers: { 'content-type': `application/${type}; charset=utf-8` },
  };
}

/** Revisions are few and numbered, so a page goes on by number. */
export async function revisions(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { knex } = context.database;
  const row = await mustReach(knex, idOf(call), call.caller, SEE_MANIFESTS);
  const { limit, after } = pageAsked(call.query);
  if (after !== undefined && !/^[1-9][0-9]{0,9}$/.test(after))
    throw invalid(
      '/query/cursor',
      'cursor',
      'không phải con trỏ của danh sách này',
      'is no cursor of this list',
    );
  const before = after === undefined ? {} : { before: Number(after) };
  const found = await pageRevisions(knex, row.id, { limit: limit + 1, ...before });
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  const next = found.length > limit && last !== undefined ? String(last.revision) : null;
  const reading = await noteReading(context, row.id, call);
  return { status: 200, body: pageBody({ rows, next }, revisionView), ...reading };
}
