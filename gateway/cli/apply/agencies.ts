import { CommandFailure } from '../failure.js';
import type { TreeAgency } from '../tree.js';
import type { Session } from './session.js';

interface AgencyBody {
  readonly code: string;
  readonly alias: string | null;
  readonly name: string;
  readonly level: string;
  readonly parentCode: string | null;
  readonly validFrom: string;
  readonly validTo: string | null;
}

function bodyOf(agency: TreeAgency): AgencyBody {
  return {
    code: agency.code,
    alias: agency.alias ?? null,
    name: agency.name.normalize('NFC').trim(),
    level: agency.level,
    parentCode: agency.parentCode ?? null,
    validFrom: agency.validFrom,
    validTo: agency.validTo ?? null,
  };
}

/**
 * Parents before children. A parent that the files do not hold must exist already; the gateway says so if not.
 *
 * @throws CommandFailure when agencies stand above each other in a circle
 */
export function parentsFirst(agencies: readonly TreeAgency[]): TreeAgency[] {
  const byCode = new Map(agencies.map((agency) => [agency.code, agency]));
  const done = new Set<TreeAgency>();
  const place = (agency: TreeAgency, below: readonly string[]): void => {
    if (done.has(agency)) return;
    if (below.includes(agency.code))
      throw new CommandFailure(`agencies.yaml: ${[...below, agency.code].join(' < ')} is a circle`);
    const parent = byCode.get(agency.parentCode ?? '');
    if (parent !== undefined) place(parent, [...below, agency.code]);
    done.add(agency);
  };
  for (const agency of agencies) place(agency, []);
  return [...done];
}

const CHANGEABLE = ['alias', 'name', 'parentCode', 'validFrom', 'validTo'] as const;

function difference(now: AgencyBody, wanted: AgencyBody): Partial<AgencyBody> {
  return Object.fromEntries(
    CHANGEABLE.filter((field) => now[field] !== wanted[field]).map((field) => [field, wanted[field]]),
  );
}

export async function applyAgency(session: Session, agency: TreeAgency): Promise<void> {
  const wanted = bodyOf(agency);
  const { code } = wanted;
  const ground = agency.document === undefined ? {} : { document: agency.document };
  const now = await session.find<AgencyBody>(`/agencies/${encodeURIComponent(code)}`);
  if (now === null || now.code !== code) {
    const run = () => session.send(`agency ${code}`, 'POST', '/agencies', { ...wanted, ...ground });
    await session.carryOut('agency', code, true, [{ name: 'create', run }]);
    return;
  }
  if (now.level !== wanted.level)
    throw new CommandFailure(`agency ${code}: its level is ${now.level} and cannot become ${wanted.level}`);
  const change = difference(now, wanted);
  const fields = Object.keys(change);
  const path = `/agencies/${encodeURIComponent(code)}`;
  const run = () => session.send(`agency ${code}`, 'PATCH', path, { ...change, ...ground });
  await session.carryOut(
    'agency',
    code,
    false,
    fields.length === 0 ? [] : [{ name: fields.join(', '), run }],
  );
}
