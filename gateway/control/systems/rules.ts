import type { Knex } from 'knex';
import type { JWK } from 'jose';
import { vietnamDay } from '../../base/calendar.js';
import { findAgency } from '../../store/agencies.js';
import {
  activeSystems,
  type CredentialRow,
  findSystem,
  listCredentials,
  type Role,
  type SystemRow,
} from '../../store/systems.js';
import type { ControlCall } from '../handler.js';
import { assertMayEmpower } from '../powers.js';
import { conflict, notFound, ownDecision, wrongTransition } from '../refusals.js';
import { sameKey } from './public-key.js';

type Caller = ControlCall['caller'];

/** More living credentials than this are a sign of something gone wrong, and each is a way in. */
const MOST_CREDENTIALS = 10;

export async function mustFind(knex: Knex, id: string): Promise<SystemRow> {
  const row = await findSystem(knex, id);
  if (row === undefined) throw notFound();
  return row;
}

export function assertNotSelf(id: string, caller: string): void {
  if (id !== caller) return;
  throw ownDecision(
    'Không được tự khóa hoặc thu hồi tài khoản đang dùng.',
    'Nobody locks or revokes the account that they are using.',
  );
}

/** One's own further secret or key widens nothing; another's powerful system would. */
export function assertMayGiveCredential(caller: Caller, row: SystemRow): void {
  if (row.id !== caller.system) assertMayEmpower(caller, rolesOf(row));
}

export function assertNotOwnRoles(id: string | undefined, caller: Caller): void {
  if (id !== caller.system) return;
  throw ownDecision(
    'Không ai tự cấp vai trò cho hệ thống mình đang dùng.',
    'Nobody gives a role to the system that they are using.',
  );
}

/** Somebody must be left who can unlock and register: an active operator, with a credential, of an agency in force. */
export async function assertOperatorRemains(knex: Knex, without: SystemRow, now: number): Promise<void> {
  const isOperator = rolesOf(without).includes('operator') && without.state === 'active';
  if (!isOperator) return;
  const day = vietnamDay(now);
  for (const other of await activeSystems(knex, 'operator', now)) {
    const agency = other.id === without.id ? undefined : await findAgency(knex, other.agency_code);
    if (agency !== undefined && agency.valid_from <= day && (agency.valid_to ?? day) >= day) return;
  }
  throw conflict(
    'Đây là tài khoản vận hành cuối cùng còn hoạt động.',
    'This is the last operator that is active.',
    { kind: 'system', id: without.id, state: 'last_operator' },
  );
}

export function rolesOf(row: SystemRow): Role[] {
  return JSON.parse(row.roles) as Role[];
}

export function isLive(row: CredentialRow, now: number): boolean {
  return row.revoked_at === null && (row.expires_at === null || row.expires_at > now);
}

/** A new credential needs a system that is not revoked, and room beside those it has. */
export async function assertMayAdd(knex: Knex, row: SystemRow, now: number): Promise<CredentialRow[]> {
  if (row.state === 'revoked')
    throw wrongTransition(
      'system',
      { id: row.id, state: row.state, since: row.state_since },
      'add-credential',
    );
  const live = (await listCredentials(knex, row.id)).filter((credential) => isLive(credential, now));
  if (live.length < MOST_CREDENTIALS) return live;
  throw conflict(
    `Hệ thống đã có ${MOST_CREDENTIALS} mã bí mật và khóa còn dùng; hãy thu hồi bớt.`,
    `The system has ${MOST_CREDENTIALS} credentials in use; revoke some first.`,
  );
}

export function assertNewCertificate(live: readonly CredentialRow[], row: CredentialRow): void {
  if (live.every(({ certificate_sha256 }) => certificate_sha256 !== row.certificate_sha256)) return;
  throw conflict('Chứng thư này đang được dùng.', 'This certificate is already in use.');
}

/** Neither the key nor its name may be in use twice: a signature must lead to one credential. */
export async function assertNewKey(live: readonly CredentialRow[], key: JWK): Promise<void> {
  for (const { public_jwk } of live) {
    if (public_jwk === null) continue;
    const known = JSON.parse(public_jwk) as JWK;
    if (known.kid !== key.kid && !(await sameKey(known, key))) continue;
    throw conflict(
      'Khóa này hoặc tên khóa (kid) này đang được dùng.',
      'This key, or its kid, is already in use.',
    );
  }
}
