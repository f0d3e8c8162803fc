import type { ManagementApi } from './api.js';
import { stateEntry, withSupplied } from './export-emergency.js';
import { all, present, yaml } from './export-reading.js';

interface Person {
  readonly id: string;
  readonly agency: string;
  readonly name: string;
  readonly email: string | null;
  readonly roles: readonly string[];
  readonly state: string;
  readonly stateReason: string | null;
  readonly stateDocument: string | null;
  readonly validFrom: string;
  readonly validTo: string | null;
}

function entry({ id, agency, name, email, roles, validFrom, validTo, ...person }: Person) {
  const account = { ...stateEntry({ id, ...person }), validFrom, validTo };
  return present({ id, agency, name, email, roles, ...account });
}

/** People without what proves them: on another gateway each gets a new temporary password. */
export async function peopleFiles(api: ManagementApi): Promise<Record<string, string>> {
  const people = await withSupplied(api, 'person', await all<Person>(api, '/people'));
  return people.length === 0 ? {} : { 'people.yaml': yaml(people.map(entry)) };
}
