import { type RecordQuery, searchRecords } from '../../audit/search.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { notFound } from '../refusals.js';
import { logRoutes } from './log-routes.js';
import { findVisible, scopeFor } from './rules.js';
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

async function get({ database }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const found = await findVisible(database, call);
  if (found === null) throw notFound();
  return { status: 200, body: found };
}

/** The record: who called what, and what was changed. Reading it is all that anybody can do. */
export function auditRoutes(context: ControlContext): ControlHandlers {
  return {
    listRecords: (call) => list(context, call),
    getRecord: (call) => get(context, call),
    listWitnesses: () => witnesses.list(context),
    getWitnessEvidence: (call) => witnesses.evidence(context, call),
    ...logRoutes(context),
  };
}
