import { vietnamDay } from '../../base/calendar.js';
import { changing } from '../../store/changes.js';
import {
  type ClauseEntry,
  deleteLegalBasis,
  findLegalBasis,
  insertLegalBasis,
  type LegalBasisRow,
  listLegalClauses,
  pageLegalBases,
  replaceLegalBasis,
} from '../../store/legal-bases.js';
import { isUniqueViolation } from '../../store/unique.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { conflict, notFound } from '../refusals.js';
import { changedClauses, changedRow, type LegalBasisChange, type NewLegalBasis, newRow } from './bodies.js';
import {
  assertClausesDistinct,
  assertDates,
  assertKeepsUsedClauses,
  assertSuccessors,
  assertUnused,
} from './rules.js';
import { fullView, view } from './views.js';

async function list({ database, clock }: ControlContext, { query }: ControlCall): Promise<ControlResult> {
  const page = await pageLegalBases(database, query, pageAsked(query));
  const day = vietnamDay(clock.now());
  return { status: 200, body: pageBody(page, (row) => view(row, day)) };
}

async function create(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const now = clock.now();
  const body = call.body as NewLegalBasis;
  const row = newRow(body, now);
  const clauses = changedClauses([], body);
  assertDates(row, clauses);
  assertClausesDistinct(clauses);
  const taken = () => conflict(`Văn bản ${row.id} đã có.`, `The document ${row.id} exists already.`);
  try {
    await changing(database, { noun: 'legal_basis', key: row.id, at: now }, async (trx) => {
      if ((await findLegalBasis(trx, row.id)) !== undefined) throw taken();
      await assertSuccessors(trx, row);
      await insertLegalBasis(trx, row, clauses);
    });
  } catch (error) {
    throw isUniqueViolation(error) ? taken() : error;
  }
  await context.refresh();
  const after = fullView(row, clauses, vietnamDay(now));
  return { status: 201, body: after, act: { noun: 'legal_basis', key: row.id, before: null, after } };
}

interface Known {
  readonly row: LegalBasisRow;
  readonly clauses: readonly ClauseEntry[];
}

async function known(knex: Parameters<typeof findLegalBasis>[0], id: string): Promise<Known> {
  const found = await findLegalBasis(knex, id);
  if (found === undefined) throw notFound();
  return { row: found.basis, clauses: await listLegalClauses(knex, id) };
}

async function get({ database, clock }: ControlContext, { path }: ControlCall): Promise<ControlResult> {
  const { row, clauses } = await known(database.knex, path['id'] ?? '');
  return { status: 200, body: fullView(row, clauses, vietnamDay(clock.now())) };
}

async function update(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const now = clock.now();
  const day = vietnamDay(now);
  const id = call.path['id'] ?? '';
  const { before, after } = await changing(
    database,
    { noun: 'legal_basis', key: id, at: now },
    async (trx) => {
      const { row, clauses } = await known(trx, id);
      const changed = changedRow(row, call.body as LegalBasisChange, now);
      const entries = changedClauses(clauses, call.body as LegalBasisChange);
      assertDates(changed, entries);
      assertClausesDistinct(entries);
      await assertSuccessors(trx, changed);
      await assertKeepsUsedClauses(trx, id, entries);
      await replaceLegalBasis(trx, changed, entries);
      return { before: fullView(row, clauses, day), after: fullView(changed, entries, day) };
    },
  );
  await context.refresh();
  return { status: 200, body: after, act: { noun: 'legal_basis', key: id, before, after } };
}

async function remove(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const now = clock.now();
  const id = call.path['id'] ?? '';
  const before = await changing(database, { noun: 'legal_basis', key: id, at: now }, async (trx) => {
    const { row, clauses } = await known(trx, id);
    await assertUnused(trx, id);
    await deleteLegalBasis(trx, id);
    return fullView(row, clauses, vietnamDay(now));
  });
  await context.refresh();
  return { status: 204, act: { noun: 'legal_basis', key: id, before, after: null } };
}

/** The registry of legal bases: the documents, clause by clause, that decisions and deadlines rest on. */
export function legalBasisRoutes(context: ControlContext): ControlHandlers {
  return {
    listLegalBases: (call) => list(context, call),
    createLegalBasis: (call) => create(context, call),
    getLegalBasis: (call) => get(context, call),
    updateLegalBasis: (call) => update(context, call),
    deleteLegalBasis: (call) => remove(context, call),
  };
}
