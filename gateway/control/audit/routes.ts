import { ArchivedRecords } from '../../audit/archive/archived-records.js';
import { type RecordScope, searchRecords } from '../../audit/search.js';
import { type RecordReader, readInPlace } from '../../audit/search/reader.js';
import { summariseRecords } from '../../audit/search/summary.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { notFound } from '../refusals.js';
import { type AskedFormat, Exports } from './exporting.js';
import { type Asked, askedFor, searchAct } from './filters.js';
import { logRoutes } from './log-routes.js';
import { assertMayAsk, findVisible, scopeFor, visible } from './rules.js';
import { savedSearchRoutes } from './saved.js';
import * as archive from './archive.js';
import * as witnesses from './witnesses.js';

/** What is asked, and the part of the log that it is asked of. */
async function allowed(
  context: ControlContext,
  call: ControlCall,
): Promise<{ asked: Asked; scope: RecordScope }> {
  const asked = await askedFor(context, call);
  assertMayAsk(call.caller, asked.query);
  const scope = scopeFor(call.caller, asked.query);
  if (scope === undefined) throw notFound();
  return { asked, scope };
}

async function list(
  context: ControlContext,
  reader: RecordReader,
  call: ControlCall,
): Promise<ControlResult> {
  const { asked, scope } = await allowed(context, call);
  const { items, next } = await searchRecords(reader, asked.query, scope);
  const archivedUntil = await archive.archivedUntil(context, asked.query);
  return {
    status: 200,
    body: { items: items.map((one) => visible(call.caller, one)), next },
    headers: archivedUntil === null ? {} : { 'lgsp-archived-until': archivedUntil },
    act: searchAct(context, 'page', asked, { count: items.length }),
  };
}

async function summary(
  context: ControlContext,
  reader: RecordReader,
  call: ControlCall,
): Promise<ControlResult> {
  const { asked, scope } = await allowed(context, call);
  const body = await summariseRecords(reader, asked.query, scope);
  const archivedUntil = await archive.archivedUntil(context, asked.query);
  return {
    status: 200,
    body: { ...body, archivedUntil },
    act: searchAct(context, 'summary', asked, { count: body.total }),
  };
}

async function get(
  reader: RecordReader,
  archived: ArchivedRecords,
  call: ControlCall,
): Promise<ControlResult> {
  const found = await findVisible(reader, archived, call);
  const act = { noun: 'record', key: found.id, before: null, after: null };
  return { status: 200, body: visible(call.caller, found), act };
}

/** The record: who called what, and what was changed. Reading it is all that anybody can do, and is recorded itself. */
export function auditRoutes(context: ControlContext): ControlHandlers {
  const reader = context.records ?? readInPlace(context.database);
  const archived = new ArchivedRecords(context.database, context.archiveFolder);
  const exports = new Exports(context);
  return {
    listRecords: (call) => list(context, reader, call),
    summariseRecords: (call) => summary(context, reader, call),
    exportRecords: async (call) => {
      const format = call.query['format'] as AskedFormat;
      return await exports.start({ ...(await allowed(context, call)), format, caller: call.caller, reader });
    },
    getRecord: (call) => get(reader, archived, call),
    listLogSegments: (call) => archive.list(context, call),
    getRetention: () => Promise.resolve(archive.retention(context)),
    getWitnesses: () => witnesses.list(context),
    getWitnessEvidence: (call) => witnesses.evidence(context, call),
    ...logRoutes(context, reader, archived),
    ...savedSearchRoutes(context),
  };
}
