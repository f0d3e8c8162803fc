import type { Knex } from 'knex';
import { type AgencyRow, findAgency, listAgencies } from '../../store/agencies.js';
import { conflict, invalid, ownDecision } from '../refusals.js';

/** @throws Problem `request_invalid` when the last day lies before the first */
export function assertDates(row: Pick<AgencyRow, 'valid_from' | 'valid_to'>): void {
  if (row.valid_to === null || row.valid_to >= row.valid_from) return;
  throw invalid(
    '/body/validTo',
    'order',
    `ngày hết hiệu lực phải từ ngày ${row.valid_from} trở đi`,
    `must not be before the first day, ${row.valid_from}`,
  );
}

/** A code and an alias are looked up alike, so neither may be taken in either form. */
export async function assertNamesFree(knex: Knex, code: string, alias: string | null): Promise<void> {
  const names = alias === null ? [code] : [code, alias];
  for (const name of names) {
    const holder = await findAgency(knex, name);
    if (holder === undefined || holder.code === code) continue;
    throw conflict(
      `Mã ${name} đã thuộc cơ quan ${holder.code}.`,
      `The code ${name} already belongs to agency ${holder.code}.`,
      { kind: 'agency', id: holder.code },
    );
  }
}

/** The parent must exist and must not lie below the agency itself. */
export async function assertParent(knex: Knex, code: string, parent: string | null): Promise<void> {
  if (parent === null) return;
  const parents = new Map((await listAgencies(knex)).map((row) => [row.code, row.parent_code]));
  if (!parents.has(parent) && parent !== code)
    throw invalid('/body/parentCode', 'exists', 'không có cơ quan cấp trên này', 'there is no such agency');
  const seen = new Set<string>();
  for (
    let above: string | null = parent;
    above !== null && !seen.has(above);
    above = parents.get(above) ?? null
  ) {
    if (above === code)
      throw invalid(
        '/body/parentCode',
        'cycle',
        'cơ quan cấp trên không được nằm dưới chính cơ quan này',
        'an agency cannot stand above itself',
      );
    seen.add(above);
  }
}

export function isInForce(row: Pick<AgencyRow, 'valid_from' | 'valid_to'>, day: string): boolean {
  return row.valid_from <= day && (row.valid_to === null || row.valid_to >= day);
}

/** Ending the caller's own agency would shut the caller out in the same breath. */
export function assertKeepsOwn(row: AgencyRow, ownAgency: string, day: string): void {
  if (row.code !== ownAgency || isInForce(row, day)) return;
  throw ownDecision(
    'Không được tự chấm dứt hiệu lực của cơ quan mình.',
    'Nobody ends the agency that they themselves belong to.',
  );
}
