import type { Knex } from 'knex';
import { findPerson, findProof, type PersonRow, type ProofRow } from '../../store/people.js';
import type { ControlCall, ControlContext } from '../handler.js';
import { conflict, invalid, notFound, ownDecision, wrongTransition } from '../refusals.js';

export interface Known {
  readonly row: PersonRow;
  readonly proof: ProofRow;
}

export async function mustFind(knex: Knex, id: string): Promise<Known> {
  const row = await findPerson(knex, id);
  const proof = row === undefined ? undefined : await findProof(knex, id);
  if (row === undefined || proof === undefined) throw notFound();
  return { row, proof };
}

/** A revoked account stays as it was. */
export function assertLiving(row: PersonRow, act: string): void {
  if (row.state !== 'revoked') return;
  throw wrongTransition('person', { id: row.id, state: row.state, since: row.state_since }, act);
}

export function assertNotSelf(id: string, caller: ControlCall['caller']): void {
  if (caller.user !== id) return;
  throw ownDecision(
    'Không ai tự cấp, khóa, đặt lại hoặc đổi quyền tài khoản của mình.',
    'Nobody gives, locks, resets or empowers the account that is their own.',
  );
}

export function assertDates({ valid_from: from, valid_to: to }: PersonRow): void {
  if (to === null || from <= to) return;
  throw invalid('/body/validTo', 'order', 'phải từ ngày bắt đầu trở đi', 'must not be before validFrom');
}

export function assertNameFree({ reservedNames }: ControlContext, id: string): void {
  if (!reservedNames.has(id)) return;
  throw conflict(`Tên ${id} dành riêng cho nền tảng.`, `The name ${id} is reserved.`);
}
