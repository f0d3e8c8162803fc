import type { Knex } from 'knex';
import { vietnamDay } from '../../base/calendar.js';
import {
  type AgencyLevel,
  type AgencyRow,
  findAgency,
  insertAgency,
  pageAgencies,
  updateAgency,
} from '../../store/agencies.js';
import { changing } from '../../store/changes.js';
import { isUniqueViolation } from '../../store/unique.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { citation, mustRestOn, seesAllDocuments } from '../papers.js';
import { conflict, notFound } from '../refusals.js';
import { assertDates, assertKeepsOwn, assertNamesFree, assertParent, isInForce } from './rules.js';

interface AgencyChange {
  readonly alias?: string | null;
  readonly name?: string;
  readonly parentCode?: string | null;
  readonly validFrom?: string;
  readonly validTo?: string | null;
  /** What the act rests on; the first agencies come before there is any document. */
  readonly document?: string;
}

interface NewAgency extends AgencyChange {
  readonly code: string;
  readonly name: string;
  readonly level: AgencyLevel;
  readonly validFrom: string;
}

const iso = (ms: number): string => new Date(ms).toISOString();

type Caller = ControlCall['caller'];

function view(row: AgencyRow, day: string, caller: Caller) {
  const seen = seesAllDocuments(caller);
  return {
    code: row.code,
    alias: row.alias,
    name: row.name,
    level: row.level,
    parentCode: row.parent_code,
    validFrom: row.valid_from,
    validTo: row.valid_to,
    inForce: isInForce(row, day),
    ...(seen ? { stateDocument: row.state_document ?? null } : {}),
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  };
}

function newRow(body: NewAgency, now: number): AgencyRow {
  return {
    code: body.code,
    alias: body.alias ?? null,
    name: body.name.normalize('NFC').trim(),
    level: body.level,
    parent_code: body.parentCode ?? null,
    valid_from: body.validFrom,
    valid_to: body.validTo ?? null,
    state_document: body.document ?? null,
    created_at: now,
    updated_at: now,
  };
}

function changedRow(row: AgencyRow, body: AgencyChange, now: number): AgencyRow {
  return {
    ...row,
    alias: body.alias === undefined ? row.alias : body.alias,
    name: body.name?.normalize('NFC').trim() ?? row.name,
    parent_code: body.parentCode === undefined ? row.parent_code : body.parentCode,
    valid_from: body.validFrom ?? row.valid_from,
    valid_to: body.validTo === undefined ? row.valid_to : body.validTo,
    state_document: body.document ?? row.state_document ?? null,
    updated_at: now,
  };
}

function columns(row: AgencyRow): Partial<AgencyRow> {
  const { alias, name, parent_code, valid_from, valid_to, state_document, updated_at } = row;
  return { alias, name, parent_code, valid_from, valid_to, state_document, updated_at };
}

/** The document that was named, which must be there; for the record. */
async function ground(trx: Knex, { body, caller }: ControlCall) {
  const { document } = body as AgencyChange;
  return document === undefined ? {} : { document: citation(await mustRestOn(trx, document, caller)) };
}

async function list({ database, clock }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { query, caller } = call;
  const page = await pageAgencies(database, query, pageAsked(query));
  const day = vietnamDay(clock.now());
  return { status: 200, body: pageBody(page, (row) => view(row, day, caller)) };
}

async function create(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const now = clock.now();
  const row = newRow(call.body as NewAgency, now);
  assertDates(row);
  const taken = () => conflict(`Cơ quan ${row.code} đã có.`, `Agency ${row.code} exists already.`);
  let rests: Awaited<ReturnType<typeof ground>> = {};
  try {
    rests = await changing(database, { noun: 'agency', key: row.code, at: now }, async (trx) => {
      const found = await ground(trx, call);
      if ((await findAgency(trx, row.code)) !== undefined) throw taken();
      await assertNamesFree(trx, row.code, row.alias);
      await assertParent(trx, row.code, row.parent_code);
      await insertAgency(trx, row);
      return found;
    });
  } catch (error) {
    throw isUniqueViolation(error) ? taken() : error;
  }
  await context.refresh();
  const after = view(row, vietnamDay(now), call.caller);
  const act = { noun: 'agency', key: row.code, before: null, after: { ...after, ...rests } };
  return { status: 201, body: after, act };
}

async function get({ database, clock }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { path, caller } = call;
  const row = await findAgency(database.knex, path['code'] ?? '');
  if (row === undefined) throw notFound();
  return { status: 200, body: view(row, vietnamDay(clock.now()), caller) };
}

async function update(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const now = clock.now();
  const day = vietnamDay(now);
  const known = await findAgency(database.knex, call.path['code'] ?? '');
  if (known === undefined) throw notFound();
  const { code } = known;
  const change = { noun: 'agency', key: code, at: now } as const;
  const { before, after, rests } = await changing(database, change, async (trx) => {
    const found = await ground(trx, call);
    const row = (await findAgency(trx, code)) ?? known;
    const changed = changedRow(row, call.body as AgencyChange, now);
    assertDates(changed);
    assertKeepsOwn(changed, call.caller.agency, day);
    await assertNamesFree(trx, code, changed.alias);
    await assertParent(trx, code, changed.parent_code);
    await updateAgency(trx, code, columns(changed));
    const shown = (one: AgencyRow) => view(one, day, call.caller);
    return { before: shown(row), after: shown(changed), rests: found };
  });
  await context.refresh();
  return {
    status: 200,
    body: after,
    act: { noun: 'agency', key: code, before, after: { ...after, ...rests } },
  };
}

/** Agencies: who takes part, under which code, from when to when. */
export function agencyRoutes(context: ControlContext): ControlHandlers {
  return {
    listAgencies: (call) => list(context, call),
    createAgency: (call) => create(context, call),
    getAgency: (call) => get(context, call),
    updateAgency: (call) => update(context, call),
  };
}
