import type { ManagementApi } from './api.js';
import { all, present, read, yaml } from './export-reading.js';

interface Clause {
  readonly id: string;
  readonly label: string;
  readonly summary: string;
  readonly validFrom: string | null;
  readonly validTo: string | null;
}

interface LegalBasis extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly clauses: readonly Clause[];
}

interface CalendarDay {
  readonly day: string;
  readonly kind: string;
  readonly name: string;
  readonly legalBasis: string | null;
}

const FIELDS = [
  'id',
  'number',
  'title',
  'issuer',
  'kind',
  'issuedOn',
  'validFrom',
  'validTo',
  'amendedBy',
  'replacedBy',
  'url',
  'note',
];

function basisEntry(basis: LegalBasis): object {
  const clauses = basis.clauses.map(({ id, label, summary, validFrom, validTo }) =>
    present({ id, label, summary, validFrom, validTo }),
  );
  const fields = present(Object.fromEntries(FIELDS.map((field) => [field, basis[field]])));
  return { ...fields, ...(clauses.length === 0 ? {} : { clauses }) };
}

/** `legal-bases.yaml` and `calendar.yaml`, each where there is something to say. */
export async function legalFiles(api: ManagementApi): Promise<Record<string, string>> {
  const bases: object[] = [];
  for (const { id } of await all<{ id: string }>(api, '/legal-bases'))
    bases.push(basisEntry(await read<LegalBasis>(api, `/legal-bases/${id}`)));
  const days = (await all<CalendarDay>(api, '/calendar/days')).map(({ day, kind, name, legalBasis }) =>
    present({ day, kind, name, legalBasis }),
  );
  return {
    ...(bases.length === 0 ? {} : { 'legal-bases.yaml': yaml(bases) }),
    ...(days.length === 0 ? {} : { 'calendar.yaml': yaml(days) }),
  };
}
