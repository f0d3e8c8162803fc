import { createHash } from 'node:crypto';
import type { JWK } from 'jose';
import type { Knex } from 'knex';
import { newSecret, uuidv7 } from '../../base/ids.js';
import { changing } from '../../store/changes.js';
import {
  type CredentialRow,
  insertCredential,
  listCredentials,
  type SystemRow,
  updateCredential,
} from '../../store/systems.js';
import { tellOwner } from '../account-notice.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { notFound, wrongTransition } from '../refusals.js';
import { type CertificateFacts, certificateFacts } from './certificate.js';
import { publicKeyOf } from './public-key.js';
import {
  assertMayAdd,
  assertNewCertificate,
  assertMayGiveCredential,
  assertNewKey,
  assertOperatorRemains,
  isLive,
  mustFind,
} from './rules.js';

/** An answer that shows a secret must not stay in any cache on its way. */
export const NO_STORE = { 'cache-control': 'no-store' } as const;

export type NewCredential =
  | { readonly kind: 'secret' }
  | { readonly kind: 'key'; readonly jwk: Readonly<Record<string, unknown>> }
  | { readonly kind: 'certificate'; readonly certificate: string };

/** A credential about to be stored; `secret` goes to its owner once and nowhere else. */
export interface MadeCredential {
  readonly row: CredentialRow;
  readonly secret?: string;
}

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export function credentialView(row: CredentialRow, now: number) {
  return {
    id: row.id,
    kind: row.kind,
    state: row.revoked_at !== null ? 'revoked' : isLive(row, now) ? 'active' : 'expired',
    createdAt: new Date(row.created_at).toISOString(),
    expiresAt: iso(row.expires_at),
    revokedAt: iso(row.revoked_at),
    ...(row.public_jwk === null ? {} : { jwk: JSON.parse(row.public_jwk) as JWK }),
    ...(row.kind === 'certificate'
      ? { certificate: { 'x5t#S256': row.certificate_sha256, subject: row.certificate_subject } }
      : {}),
  };
}

function emptyRow(systemId: string, kind: CredentialRow['kind'], now: number): CredentialRow {
  return {
    id: uuidv7(now),
    system_id: systemId,
    kind,
    secret_sha256: null,
    public_jwk: null,
    created_at: now,
    expires_at: null,
    revoked_at: null,
  };
}

export function makeSecret(systemId: string, now: number): MadeCredential & { secret: string } {
  const secret = newSecret();
  const secret_sha256 = createHash('sha256').update(secret).digest('hex');
  return { row: { ...emptyRow(systemId, 'secret', now), secret_sha256 }, secret };
}

export function makeKey(systemId: string, key: JWK, now: number): MadeCredential {
  return { row: { ...emptyRow(systemId, 'key', now), public_jwk: JSON.stringify(key) } };
}

/** It ends when the certificate does: nobody has to remember to take it away. */
export function makeCertificate(systemId: string, facts: CertificateFacts, now: number): MadeCredential {
  const { sha256, subject, expiresAt } = facts;
  const kept = { certificate_sha256: sha256, certificate_subject: subject, expires_at: expiresAt };
  return { row: { ...emptyRow(systemId, 'certificate', now), ...kept } };
}

/** The answer to whoever asked for the credential: the only place where its secret is shown. */
export function shownOnce(made: MadeCredential, now: number) {
  return {
    ...credentialView(made.row, now),
    ...(made.secret === undefined ? {} : { secret: made.secret }),
  };
}

/** Whose system it is for is told of it, or it is not made. */
async function give(
  trx: Knex.Transaction,
  { caller }: ControlCall,
  { id: key, agency_code: agency }: SystemRow,
  row: CredentialRow,
): Promise<void> {
  await insertCredential(trx, row);
  await tellOwner(trx, caller, { event: 'credential_made', agency, noun: 'system', key, at: row.created_at });
}

export async function addSecret(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const now = clock.now();
  const id = call.path['id'] ?? '';
  const { replaceAfterSeconds } = call.body as { replaceAfterSeconds?: number };
  const made = makeSecret(id, now);
  const ended = await changing(database, { noun: 'system', key: id, at: now }, async (trx) => {
    const system = await mustFind(trx, id);
    assertMayGiveCredential(call.caller, system);
    const live = await assertMayAdd(trx, system, now);
    const older = replaceAfterSeconds === undefined ? [] : live.filter(({ kind }) => kind === 'secret');
    const end = now + (replaceAfterSeconds ?? 0) * 1000;
    for (const { id: olderId, expires_at } of older)
      await updateCredential(trx, olderId, { expires_at: Math.min(expires_at ?? end, end) });
    await give(trx, call, system, made.row);
    return older.map((row) => row.id);
  });
  await context.refresh();
  const after = { credential: credentialView(made.row, now), ending: ended };
  return {
    status: 201,
    body: shownOnce(made, now),
    headers: NO_STORE,
    act: { noun: 'system', key: id, before: null, after },
  };
}

/** Enters a credential that the caller brings; `checked` refuses one that is known already. */
async function addBrought(
  context: ControlContext,
  call: ControlCall,
  made: { readonly row: CredentialRow },
  checked: (live: Awaited<ReturnType<typeof assertMayAdd>>) => unknown,
): Promise<ControlResult> {
  const now = made.row.created_at;
  const id = call.path['id'] ?? '';
  await changing(context.database, { noun: 'system', key: id, at: now }, async (trx) => {
    const system = await mustFind(trx, id);
    assertMayGiveCredential(call.caller, system);
    await checked(await assertMayAdd(trx, system, now));
    await give(trx, call, system, made.row);
  });
  await context.refresh();
  const credential = credentialView(made.row, now);
  return {
    status: 201,
    body: credential,
    act: { noun: 'system', key: id, before: null, after: { credential } },
  };
}

export async function addKey(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { jwk } = call.body as { jwk: Readonly<Record<string, unknown>> };
  const key = await publicKeyOf(jwk, '/body/jwk');
  const made = makeKey(call.path['id'] ?? '', key, context.clock.now());
  return await addBrought(context, call, made, (live) => assertNewKey(live, key));
}

export async function addCertificate(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const now = context.clock.now();
  const { certificate } = call.body as { certificate: string };
  const facts = certificateFacts(certificate, '/body/certificate', now);
  const made = makeCertificate(call.path['id'] ?? '', facts, now);
  return await addBrought(context, call, made, (live) => assertNewCertificate(live, made.row));
}

export async function revokeCredential(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const now = clock.now();
  const id = call.path['id'] ?? '';
  const before = await changing(database, { noun: 'system', key: id, at: now }, async (trx) => {
    const system = await mustFind(trx, id);
    const all = await listCredentials(trx, id);
    const row = all.find((credential) => credential.id === call.path['credential']);
    if (row === undefined) throw notFound();
    if (row.revoked_at !== null)
      throw wrongTransition(
        'system',
        { id: row.id, state: 'revoked', since: row.revoked_at },
        'revoke-credential',
      );
    const others = all.filter((other) => other !== row && isLive(other, now));
    if (others.length === 0) await assertOperatorRemains(trx, system, now);
    await updateCredential(trx, row.id, { revoked_at: now });
    return row;
  });
  await context.refresh();
  const after = credentialView({ ...before, revoked_at: now }, now);
  return { status: 204, act: { noun: 'system', key: id, before: credentialView(before, now), after } };
}
