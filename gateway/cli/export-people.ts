import type { ManagementApi } from './api.js';
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
  const { state, stateReason, stateDocument: document } = person;
  const inactive = state === 'active' ? {} : { state, reason: stateReason ?? 'lgsp export' };
  return present({ id, agency, name, email, roles, ...inactive, document, validFrom, validTo });
}

/** People without what proves them: on another gateway each gets a new temporary password. */
export async function peopleFiles(api: ManagementApi): Promise<Record<string, string>> {
  const people = await all<Person>(api, '/people');
  return people.length === 0 ? {} : { 'people.yaml': yaml(people.map(entry)) };
}
