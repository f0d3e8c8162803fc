import type { Knex } from 'knex';
import { vietnamDay } from '../../base/calendar.js';
import { changing } from '../../store/changes.js';
import {
  findPerson,
  insertPerson,
  insertProof,
  pagePeople,
  type PersonRow,
  type ProofRow,
  updatePerson,
} from '../../store/people.js';
import { endSessions } from '../../store/sign-ins.js';
import type { Role } from '../../store/systems.js';
import { isUniqueViolation } from '../../store/unique.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { tellOwner } from '../account-notice.js';
import { citation, mustRestOn } from '../papers.js';
import { assertMayEmpower } from '../powers.js';
import { conflict } from '../refusals.js';
import { assertTerm } from '../terms.js';
import { act } from './lifecycle.js';
import { NO_STORE, resetPassword, resetSecondFactor, temporaryUntil } from './proofs.js';
import { assertAgency } from '../accounts.js';
import { assertDates, assertLiving, assertNameFree, assertNotSelf, mustFind } from './rules.js';
import { endAllOf, endOneOf, listSessions } from './sessions.js';
import { personDetails, personView, rolesOf } from './views.js';

interface NewPerson {
  readonly id: string;
  readonly agency: string;
  readonly name: string;
  readonly email?: string | null;
  readonly roles: readonly Role[];
  readonly validFrom?: string;
  readonly validTo?: string | null;
  readonly document?: string;
}

interface PersonChange {
  readonly name?: string;
  readonly email?: string | null;
  readonly roles?: readonly Role[];
  readonly document?: string;
}

const tidy = (name: string): string => name.normalize('NFC').trim();

function newRow(body: NewPerson, now: number): PersonRow {
  return {
    id: body.id,
    agency_code: body.agency,
    name: tidy(body.name),
    email: body.email ?? null,
    roles: JSON.stringify(body.roles),
    state: 'active',
    state_since: now,
    state_reason: null,
    state_document: body.document ?? null,
    valid_from: body.validFrom ?? vietnamDay(now),
    valid_to: body.validTo ?? null,
    created_at: now,
    updated_at: now,
  };
}

async function newProof(context: ControlContext, id: string, plain: string): Promise<ProofRow> {
  const now = context.clock.now();
  return {
    person_id: id,
    password_hash: await context.passwords.hash(plain),
    password_history: '[]',
    password_at: now,
    temporary_until: temporaryUntil(context),
    totp_sealed: null,
    totp_step: null,
    rules_version: null,
    rules_at: null,
    last_sign_in_at: null,
  };
}

async function list({ database }: ControlContext, { query }: ControlCall): Promise<ControlResult> {
  const page = await pagePeople(database, query, pageAsked(query));
  return { status: 200, body: pageBody(page, personView) };
}

async function register(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock, passwords } = context;
  const body = call.body as NewPerson;
  const now = clock.now();
  const row = newRow(body, now);
  assertNotSelf(row.id, call.caller);
  assertNameFree(context, row.id);
  assertMayEmpower(call.caller, body.roles);
  assertTerm(row.valid_to, now);
  assertDates(row);
  const password = passwords.temporary();
  const proof = await newProof(context, row.id, password);
  const taken = () => conflict(`Tên đăng nhập ${row.id} đã được dùng.`, `The user name ${row.id} is taken.`);
  try {
    const paper = await changing(database, { noun: 'person', key: row.id, at: now }, async (trx) => {
      const found = await mustRestOn(trx, body.document, call.caller);
      if ((await findPerson(trx, row.id)) !== undefined) throw taken();
      await assertAgency(trx, row.agency_code);
      await insertPerson(trx, row);
      await insertProof(trx, proof);
      const { id: key, agency_code: agency } = row;
      await tellOwner(trx, call.caller, { event: 'account_made', agency, noun: 'person', key, at: now });
      return citation(found);
    });
    await context.refresh();
    const after = personDetails(row, proof);
    return {
      status: 201,
      body: { person: after, temporaryPassword: password },
      headers: NO_STORE,
      act: { noun: 'person', key: row.id, before: null, after: { ...after, document: paper } },
    };
  } catch (error) {
    throw isUniqueViolation(error) ? taken() : error;
  }
}

async function get({ database }: ControlContext, { path }: ControlCall): Promise<ControlResult> {
  const { row, proof } = await mustFind(database.knex, path['id'] ?? '');
  return { status: 200, body: personDetails(row, proof) };
}

/** Other roles rest on a document, and begin with a new sign-in: the next role may ask for more proof. */
async function changeRoles(
  trx: Knex.Transaction,
  { row, body, call, now }: { row: PersonRow; body: PersonChange; call: ControlCall; now: number },
): Promise<{ patch: Partial<PersonRow>; cited: object }> {
  if (body.roles === undefined || JSON.stringify(body.roles) === row.roles) return { patch: {}, cited: {} };
  assertNotSelf(row.id, call.caller);
  assertMayEmpower(call.caller, [...rolesOf(row), ...body.roles]);
  const paper = await mustRestOn(trx, body.document, call.caller);
  await endSessions(trx, row.id, now);
  return { patch: { roles: JSON.stringify(body.roles) }, cited: { document: citation(paper) } };
}

async function update(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const id = call.path['id'] ?? '';
  const body = call.body as PersonChange;
  const now = clock.now();
  const { before, after, proof, cited } = await changing(
    database,
    { noun: 'person', key: id, at: now },
    async (trx) => {
      const { row, proof: held } = await mustFind(trx, id);
      assertLiving(row, 'update');
      const roles = await changeRoles(trx, { row, body, call, now });
      const patch: Partial<PersonRow> = {
        ...(body.name === undefined ? {} : { name: tidy(body.name) }),
        ...(body.email === undefined ? {} : { email: body.email }),
        ...roles.patch,
        updated_at: now,
      };
      await updatePerson(trx, id, patch);
      return { before: row, after: { ...row, ...patch }, proof: held, cited: roles.cited };
    },
  );
  await context.refresh();
  return {
    status: 200,
    body: personDetails(after, proof),
    act: { noun: 'person', key: id, before: personView(before), after: { ...personView(after), ...cited } },
  };
}

/** People: officials who sign in, in which roles, for which agency, from when to when. */
export function personRoutes(context: ControlContext): ControlHandlers {
  return {
    listPeople: (call) => list(context, call),
    registerPerson: (call) => register(context, call),
    getPerson: (call) => get(context, call),
    updatePerson: (call) => update(context, call),
    lockPerson: (call) => act(context, call, 'lock'),
    unlockPerson: (call) => act(context, call, 'unlock'),
    revokePerson: (call) => act(context, call, 'revoke'),
    extendPerson: (call) => act(context, call, 'extend'),
    resetPersonPassword: (call) => resetPassword(context, call),
    resetPersonSecondFactor: (call) => resetSecondFactor(context, call),
    getPersonSessions: (call) => listSessions(context, call),
    endPersonSessions: (call) => endAllOf(context, call),
    endPersonSession: (call) => endOneOf(context, call),
  };
}
