import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { vietnamDay } from '../../base/calendar.js';
import type { Hours } from '../../base/hours.js';
import { fold } from '../../base/fold.js';
import { changing } from '../../store/changes.js';
import {
  type Ending,
  findSystem,
  insertCredential,
  insertSystem,
  listCredentials,
  pageSystems,
  type Role,
  type SystemRow,
  updateSystem,
} from '../../store/systems.js';
import type { DocumentRow } from '../../store/documents.js';
import { isUniqueViolation } from '../../store/unique.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { tellOwner } from '../account-notice.js';
import { citation, mustRestOn } from '../papers.js';
import { conflict } from '../refusals.js';
import { act } from './lifecycle.js';
import { certificateFacts } from './certificate.js';
import {
  addCertificate,
  addKey,
  addSecret,
  credentialView,
  type MadeCredential,
  makeCertificate,
  makeKey,
  makeSecret,
  type NewCredential,
  NO_STORE,
  revokeCredential,
  shownOnce,
} from './credentials.js';
import { addressesOf, isWider } from './addresses.js';
import { publicKeyOf } from './public-key.js';
import { assertMayEmpower } from '../powers.js';
import { assertTerm } from '../terms.js';
import { assertAgency } from '../accounts.js';
import { assertNotOwnRoles, mustFind, rolesOf } from './rules.js';
import { systemView as view } from './views.js';

interface Limit {
  readonly calls: number;
  readonly seconds: number;
}

interface NewSystem {
  readonly id?: string;
  readonly agency: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly limit?: Limit | null;
  readonly requireBoundTokens?: boolean;
  readonly addresses?: readonly string[] | null;
  readonly hours?: Hours | null;
  readonly credential: NewCredential;
  /** Last day on which the account works. */
  readonly validTo?: string | null;
  readonly document?: string;
}

interface SystemChange {
  readonly name?: string;
  readonly limit?: Limit | null;
  readonly requireBoundTokens?: boolean;
  readonly addresses?: readonly string[] | null;
  readonly hours?: Hours | null;
}

const DAY_MS = 86_400_000;

const hoursOf = (hours: Hours | null): string | null => (hours === null ? null : JSON.stringify(hours));

const tidy = (name: string): string => name.normalize('NFC').trim();

async function details(knex: Knex, row: SystemRow, now: number) {
  const credentials = await listCredentials(knex, row.id);
  return { ...view(row), credentials: credentials.map((credential) => credentialView(credential, now)) };
}

function newRow(id: string, body: NewSystem, now: number): SystemRow {
  return {
    id,
    agency_code: body.agency,
    name: tidy(body.name),
    roles: JSON.stringify(body.roles),
    state: 'active',
    state_since: now,
    state_reason: null,
    state_document: body.document ?? null,
    valid_to: body.validTo ?? null,
    limit_calls: body.limit?.calls ?? null,
    limit_seconds: body.limit?.seconds ?? null,
    require_bound: body.requireBoundTokens ?? false,
    addresses: addressesOf(body.addresses ?? null),
    hours: hoursOf(body.hours ?? null),
    created_at: now,
    updated_at: now,
  };
}

/** @example idFrom('Một cửa điện tử xã Pu Sam Cáp') // 'mot-cua-dien-tu-xa-pu-sam-cap-1f3a9c' */
function idFrom(name: string): string {
  const readable = fold(name)
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 48)
    .replace(/^-|-$/g, '');
  return `${readable === '' ? 'he-thong' : readable}-${randomBytes(3).toString('hex')}`;
}

/** Whose credential or account ends within so many days from now. */
function endingWithin(days: number, now: number): Ending {
  const until = now + days * DAY_MS;
  return { from: now, until, days: [vietnamDay(now), vietnamDay(until)] };
}

async function list({ database, clock }: ControlContext, { query }: ControlCall): Promise<ControlResult> {
  const { endingWithin: days, ...filter } = query as { endingWithin?: number };
  const ending = days === undefined ? undefined : endingWithin(days, clock.now());
  const page = await pageSystems(database, { ...filter, ending }, pageAsked(query));
  return { status: 200, body: pageBody(page, view) };
}

async function makeCredential(systemId: string, asked: NewCredential, now: number): Promise<MadeCredential> {
  if (asked.kind === 'secret') return makeSecret(systemId, now);
  if (asked.kind === 'certificate') {
    const facts = certificateFacts(asked.certificate, '/body/credential/certificate', now);
    return makeCertificate(systemId, facts, now);
  }
  return makeKey(systemId, await publicKeyOf(asked.jwk, '/body/credential/jwk'), now);
}

/** A token of an application in which people sign in must never look like one of a system. */
function assertNotReserved({ reservedNames }: ControlContext, id: string | undefined): void {
  if (id === undefined || !reservedNames.has(id)) return;
  throw conflict(`Mã ${id} dành riêng cho nền tảng.`, `The id ${id} is reserved.`);
}

async function register(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const body = call.body as NewSystem;
  assertNotOwnRoles(body.id, call.caller);
  assertNotReserved(context, body.id);
  assertMayEmpower(call.caller, body.roles);
  const now = clock.now();
  const row = newRow(body.id ?? idFrom(body.name), body, now);
  const made = await makeCredential(row.id, body.credential, now);
  const taken = () => conflict(`Mã hệ thống ${row.id} đã được dùng.`, `The id ${row.id} is taken.`);
  assertTerm(row.valid_to ?? null, now);
  let paper: DocumentRow;
  try {
    paper = await changing(database, { noun: 'system', key: row.id, at: now }, async (trx) => {
      const found = await mustRestOn(trx, body.document, call.caller);
      if ((await findSystem(trx, row.id)) !== undefined) throw taken();
      await assertAgency(trx, row.agency_code);
      await insertSystem(trx, row);
      await insertCredential(trx, made.row);
      const { id: key, agency_code: agency } = row;
      await tellOwner(trx, call.caller, { event: 'account_made', agency, noun: 'system', key, at: now });
      return found;
    });
  } catch (error) {
    throw isUniqueViolation(error) ? taken() : error;
  }
  await context.refresh();
  const system = view(row);
  const credentials = [credentialView(made.row, now)];
  const after = { ...system, credentials, document: citation(paper) };
  return {
    status: 201,
    body: { system, credential: shownOnce(made, now) },
    headers: NO_STORE,
    act: { noun: 'system', key: row.id, before: null, after },
  };
}

async function get({ database, clock }: ControlContext, { path }: ControlCall): Promise<ControlResult> {
  const row = await mustFind(database.knex, path['id'] ?? '');
  return { status: 200, body: await details(database.knex, row, clock.now()) };
}

function limitColumns(limit: Limit | null | undefined): Partial<SystemRow> {
  if (limit === undefined) return {};
  return { limit_calls: limit?.calls ?? null, limit_seconds: limit?.seconds ?? null };
}

/** Less that holds a system back is as good as a further way in. SQLite keeps a boolean as a number. */
function loosens(row: SystemRow, { addresses, require_bound }: Partial<SystemRow>): boolean {
  if (require_bound === false && Boolean(row.require_bound)) return true;
  return addresses !== undefined && isWider(addresses, row.addresses ?? null);
}

async function update(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const id = call.path['id'] ?? '';
  const body = call.body as SystemChange;
  const now = clock.now();
  const name = body.name === undefined ? {} : { name: tidy(body.name) };
  const bound = body.requireBoundTokens === undefined ? {} : { require_bound: body.requireBoundTokens };
  const from = body.addresses === undefined ? {} : { addresses: addressesOf(body.addresses) };
  const hours = body.hours === undefined ? {} : { hours: hoursOf(body.hours) };
  const patch: Partial<SystemRow> = {
    ...name,
    ...limitColumns(body.limit),
    ...bound,
    ...from,
    ...hours,
    updated_at: now,
  };
  const before = await changing(database, { noun: 'system', key: id, at: now }, async (trx) => {
    const row = await mustFind(trx, id);
    if (loosens(row, patch)) assertMayEmpower(call.caller, rolesOf(row));
    await updateSystem(trx, id, patch);
    return row;
  });
  await context.refresh();
  const after = { ...before, ...patch };
  return {
    status: 200,
    body: await details(database.knex, after, now),
    act: { noun: 'system', key: id, before: view(before), after: view(after) },
  };
}

/** Systems: the client applications of the agencies, how they prove themselves, and whether they may. */
export function systemRoutes(context: ControlContext): ControlHandlers {
  return {
    listSystems: (call) => list(context, call),
    registerSystem: (call) => register(context, call),
    getSystem: (call) => get(context, call),
    updateSystem: (call) => update(context, call),
    addSecret: (call) => addSecret(context, call),
    addKey: (call) => addKey(context, call),
    addCertificate: (call) => addCertificate(context, call),
    revokeCredential: (call) => revokeCredential(context, call),
    lockSystem: (call) => act(context, call, 'lock'),
    unlockSystem: (call) => act(context, call, 'unlock'),
    revokeSystem: (call) => act(context, call, 'revoke'),
    extendSystem: (call) => act(context, call, 'extend'),
  };
}
