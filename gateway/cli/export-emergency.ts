import type { ManagementApi } from './api.js';
import { all } from './export-reading.js';

interface Account {
  readonly id: string;
  readonly state: string;
  readonly stateDocument: string | null;
}

interface Debt {
  readonly noun: string;
  readonly key: string;
  readonly act: string;
  readonly document: string | null;
}

const lockedAtOnce = ({ state, stateDocument }: Account): boolean =>
  state === 'locked' && stateDocument === null;

/** Accounts that were locked in an emergency, with the document that was supplied afterwards, where it was. */
export async function withSupplied<T extends Account>(
  api: ManagementApi,
  noun: 'system' | 'person',
  accounts: readonly T[],
): Promise<T[]> {
  if (!accounts.some(lockedAtOnce)) return [...accounts];
  const locks = (await all<Debt>(api, '/document-debts')).filter(
    (debt) => debt.noun === noun && debt.act === 'lock',
  );
  // Oldest first: the last one is that of the lock which holds.
  const supplied = new Map(locks.map(({ key, document }) => [key, document]));
  return accounts.map((one) =>
    lockedAtOnce(one) ? { ...one, stateDocument: supplied.get(one.id) ?? null } : one,
  );
}

/** What a file says of an account's state and of what it rests on. */
export function stateEntry(account: Account & { readonly stateReason: string | null }): object {
  const { state, stateReason, stateDocument: document } = account;
  const inactive = state === 'active' ? {} : { state, reason: stateReason ?? 'lgsp export' };
  return { ...inactive, emergency: lockedAtOnce(account) ? true : null, document };
}
