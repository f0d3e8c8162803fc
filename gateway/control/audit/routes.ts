import { getRecord, latestCheckpoint, type RecordQuery, searchRecords } from '../../audit/search.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { notFound } from '../refusals.js';
import { scopeFor, scopesOf } from './rules.js';
import * as witnesses from './witnesses.js';

/** The query of the contract: its times are texts. */
type SentQuery = Omit<RecordQuery, 'from' | 'to'> & { readonly from?: string; readonly to?: string };

function queryOf({ from, to, ...rest }: SentQuery): RecordQuery {
  return {
    ...rest,
    ...(from === undefined ? {} : { from: Date.parse(from) }),
    ...(to === undefined ? {} : { to: Date.parse(to) }),
  };
}

async function list({ database }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const query = queryOf(call.query);
  const scope = scopeFor(call.caller, query);
  if (scope === undefined) throw notFound();
  const { items, next } = await searchRecords(database, query, scope);
  return { status: 200, body: { items, next } };
}

async function get({ database }: ControlContext, { path, caller }: ControlCall): Promise<ControlResult> {
  const id = (path['id'] ?? '').toLowerCase();
  for (const scope of scopesOf(caller)) {
    const found = await getRecord(database, id, scope);
    if (found !== null) return { status: 200, body: found };
  }
  throw notFound();
}

async function checkpoint({ database }: ControlContext): Promise<ControlResult> {
  const head = await latestCheckpoint(database);
  if (head === null) throw notFound();
  return {
    status: 200,
    body: head.note,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'lgsp-tree-size': String(head.size) },
  };
}

/** The record: who called what, and what was changed. Reading it is all that anybody can do. */
export function auditRoutes(context: ControlContext): ControlHandlers {
  return {
    listRecords: (call) => list(context, call),
    getRecord: (call) => get(context, call),
    getCheckpoint: () => checkpoint(context),
    listWitnesses: () => witnesses.list(context),
    getWitnessEvidence: (call) => witnesses.evidence(context, call),
  };
}
