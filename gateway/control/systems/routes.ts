import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { fold } from '../../base/fold.js';
import { changing } from '../../store/changes.js';
import {
  findSystem,
  insertCredential,
  insertSystem,
  listCredentials,
  pageSystems,
  type Role,
  type SystemRow,
  updateCredential,
  updateSystem,
} from '../../store/systems.js';
import { isUniqueViolation } from '../../store/unique.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { conflict } from '../refusals.js';
import {
  addKey,
  addSecret,
  credentialView,
  type MadeCredential,
  makeKey,
  makeSecret,
  type NewCredential,
  NO_STORE,
  revokeCredential,
  shownOnce,
} from './credentials.js';
import { publicKeyOf } from './public-key.js';
import {
  assertAgency,
  assertMayEmpower,
  assertNotOwnRoles,
  assertNotSelf,
  assertOperatorRemains,
  mustFind,
  nextState,
  rolesOf,
  type SystemAct,
} from './rules.js';

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
  readonly credential: NewCredential;
}

interface SystemChange {
  readonly name?: string;
  readonly limit?: Limit | null;
}

const iso = (ms: number): string => new Date(ms).toISOString();
const tidy = (name: string): string => name.normalize('NFC').trim();

function view(row: SystemRow) {
  const { limit_calls: calls, limit_seconds: seconds } = row;
  return {
    id: row.id,
    agency: row.agency_code,
    name: row.name,
    roles: rolesOf(row),
    state: row.state,
    stateSince: iso(row.state_since),
    stateReason: row.state_reason,
    limit: calls === null || seconds === null ? null : { calls, seconds },
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  };
}

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
    limit_calls: body.limit?.calls ?? null,
    limit_seconds: body.limit?.seconds ?? null,
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

async function list({ database }: ControlContext, { query }: ControlCall): Promise<ControlResult> {
  const page = await pageSystems(database, query, pageAsked(query));
  return { status: 200, body: pageBody(page, view) };
}

async function makeCredential(systemId: string, asked: NewCredential, now: number): Promise<MadeCredential> {
  if (asked.kind === 'secret') return makeSecret(systemId, now);
  return makeKey(systemId, await publicKeyOf(asked.jwk, '/body/credential/jwk'), now);
}

async function register(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const body = call.body as NewSystem;
  assertNotOwnRoles(body.id, call.caller);
  assertMayEmpower(call.caller, body.roles);
  const now = clock.now();
  const row = newRow(body.id ?? idFrom(body.name), body, now);
  const made = await makeCredential(row.id, body.credential, now);
  const taken = () => conflict(`Mã hệ thống ${row.id} đã được dùng.`, `The id ${row.id} is taken.`);
  try {
    await changing(database, { noun: 'system', key: row.id, at: now }, async (trx) => {
      if ((await findSystem(trx, row.id)) !== undefined) throw taken();
      await assertAgency(trx, row.agency_code);
      await insertSystem(trx, row);
      await insertCredential(trx, made.row);
    });
  } catch (error) {
    throw isUniqueViolation(error) ? taken() : error;
  }
  await context.refresh();
  const system = view(row);
  const after = { ...system, credentials: [credentialView(made.row, now)] };
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

async function update(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const id = call.path['id'] ?? '';
  const body = call.body as SystemChange;
  const now = clock.now();
  const name = body.name === undefined ? {} : { name: tidy(body.name) };
  const patch: Partial<SystemRow> = { ...name, ...limitColumns(body.limit), updated_at: now };
  const before = await changing(database, { noun: 'system', key: id, at: now }, async (trx) => {
    const row = await mustFind(trx, id);
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

async function revokeAll(trx: Knex.Transaction, id: string, now: number): Promise<void> {
  for (const credential of await listCredentials(trx, id))
    if (credential.revoked_at === null) await updateCredential(trx, credential.id, { revoked_at: now });
}

/** lock, unlock, revoke: one way through for all three. */
async function act(context: ControlContext, call: ControlCall, what: SystemAct): Promise<ControlResult> {
  const { database, clock } = context;
  const id = call.path['id'] ?? '';
  const now = clock.now();
  const { reason } = call.body as { reason: string };
  if (what !== 'unlock') assertNotSelf(id, call.caller.system);
  const { before, patch } = await changing(database, { noun: 'system', key: id, at: now }, async (trx) => {
    const row = await mustFind(trx, id);
    const state = nextState(row, what);
    if (state !== 'active') await assertOperatorRemains(trx, row, now);
    const change = { state, state_since: now, state_reason: reason.trim(), updated_at: now };
    await updateSystem(trx, id, change);
    if (state === 'revoked') await revokeAll(trx, id, now);
    return { before: row, patch: change };
  });
  await context.refresh();
  const after = view({ ...before, ...patch });
  return { status: 200, body: after, act: { noun: 'system', key: id, before: view(before), after } };
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
    revokeCredential: (call) => revokeCredential(context, call),
    lockSystem: (call) => act(context, call, 'lock'),
    unlockSystem: (call) => act(context, call, 'unlock'),
    revokeSystem: (call) => act(context, call, 'revoke'),
  };
}
