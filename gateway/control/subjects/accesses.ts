import type { FoundRecord } from '../../audit/search.js';
import { grantsByIds, type GrantRow } from '../../store/grants.js';
import { agencyNames } from '../../store/agencies.js';
import type { ControlContext } from '../handler.js';

/** One look at a person's data: who, when, why, under which approval, and how it ended. */
export interface Access {
  readonly record: string;
  readonly index: number;
  readonly received: string;
  readonly agency: string | null;
  readonly agencyName: string | null;
  readonly system: string | null;
  readonly user: string | null;
  readonly case: string | null;
  readonly provider: string | null;
  readonly service: string | null;
  readonly operation: string | null;
  readonly outcome: string | null;
  readonly code: string | null;
  /** Null where no approval narrows the answer: all of it left. */
  readonly fields: readonly string[] | null;
  /** Null where a default service is open to every account, or the ledger itself was asked. */
  readonly grant: {
    readonly id: string;
    readonly purpose: string;
    readonly legalBasis: string | null;
    readonly document: string | null;
  } | null;
  /** Why the ledger was asked, where that is what the record tells of. */
  readonly reason: string | null;
}

const or = (value: string | undefined): string | null => value ?? null;

function reasonOf({ target }: FoundRecord): string | null {
  const after = target?.after as { reason?: unknown } | undefined;
  return typeof after?.reason === 'string' ? after.reason : null;
}

function grantOf(row: GrantRow | undefined): Access['grant'] {
  if (row === undefined) return null;
  return { id: row.id, purpose: row.purpose, legalBasis: row.legal_basis, document: row.document_id };
}

/** Records with what the registers say of them. */
export async function accessesOf(
  { database }: Pick<ControlContext, 'database'>,
  records: readonly FoundRecord[],
): Promise<Access[]> {
  const grants = await grantsByIds(
    database.knex,
    records.flatMap(({ grant }) => grant ?? []),
  );
  const names = await agencyNames(
    database.knex,
    records.flatMap(({ agency }) => agency ?? []),
  );
  return records.map((one) => ({
    record: one.id,
    index: one.index,
    received: one.received,
    agency: or(one.agency),
    agencyName: names.get(one.agency ?? '') ?? null,
    system: or(one.system),
    user: or(one.user),
    case: or(one.case),
    provider: or(one.provider),
    service: one.service === undefined ? null : `${one.service}/${one.version ?? ''}`,
    operation: or(one.operation),
    outcome: or(one.outcome),
    code: or(one.code),
    fields: one.disclosed ?? null,
    grant: grantOf(grants.get(one.grant ?? '')),
    reason: reasonOf(one),
  }));
}
