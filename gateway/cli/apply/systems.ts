import { canonicalRange } from '../../base/address-set.js';
import type { Hours } from '../../base/hours.js';
import { CommandFailure } from '../failure.js';
import type { TreeSystem } from '../tree-systems.js';
import {
  addStep,
  assertReady,
  type Credential,
  credentialSteps,
  offer,
  wantedCredentials,
} from './credentials.js';
import type { Session, Step } from './session.js';
import { assertGround, stateSteps, termSteps } from './states.js';

interface System {
  readonly id: string;
  readonly agency: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly state: TreeSystem['state'];
  readonly limit: { readonly calls: number; readonly seconds: number } | null;
  readonly requireBoundTokens: boolean;
  readonly addresses: readonly string[] | null;
  readonly hours: Hours | null;
  readonly validTo: string | null;
  readonly credentials: readonly Credential[];
}

const pathOf = (id: string): string => `/systems/${encodeURIComponent(id)}`;

const wantedState = ({ id, state, document, reason, emergency }: TreeSystem) => ({
  ...{ label: `system ${id}`, path: pathOf(id), state },
  ...{ document, reason, emergency },
});

const wantedTerm = ({ id, validTo, document, reason }: TreeSystem) => ({
  ...{ label: `system ${id}`, path: pathOf(id), validTo },
  ...{ document, reason },
});

/** Without the members that are not there: the contract takes none that are undefined. */
const defined = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

async function register(session: Session, system: TreeSystem): Promise<void> {
  assertGround(wantedState(system));
  const { id, agency, name, roles, limit, document, validTo, requireBoundTokens, addresses, hours } = system;
  const [first = { kind: 'secret' } as const, ...others] = wantedCredentials(system);
  assertReady(session, system, first);
  const run = async (): Promise<void> => {
    const { body, keep } = await offer(session, system, first);
    const asked = {
      id,
      agency,
      name,
      roles,
      ...defined({ limit, document, validTo, requireBoundTokens, addresses, hours }),
      credential: body,
    };
    const answer = await session.send(`system ${id}`, 'POST', '/systems', asked);
    keep((answer as { credential: { secret?: string } }).credential);
  };
  const steps = [
    { name: 'register', run },
    ...others.map((one) => addStep(session, system, one)),
    ...stateSteps(session, wantedState(system), 'active'),
  ];
  await session.carryOut('system', id, true, steps);
}

/** Agency and roles are fixed at registration: who wants others registers another system. */
function assertSame(now: System, wanted: TreeSystem): void {
  const roles = (list: readonly string[]): string => [...list].sort().join(', ');
  if (now.agency !== wanted.agency)
    throw new CommandFailure(
      `system ${now.id}: it belongs to ${now.agency} and cannot move to ${wanted.agency}`,
    );
  if (roles(now.roles) !== roles(wanted.roles))
    throw new CommandFailure(`system ${now.id}: its roles are ${roles(now.roles)} and cannot be changed`);
}

/** In whatever spelling and order the file has them. */
function sameRanges(now: readonly string[] | null, wanted: readonly string[] | null): boolean {
  const plain = (list: readonly string[] | null) => list?.map((one) => canonicalRange(one) ?? one).sort();
  return JSON.stringify(plain(now)) === JSON.stringify(plain(wanted));
}

/** Whatever the order of the days. */
function sameHours(now: Hours | null, wanted: Hours | null): boolean {
  const plain = (hours: Hours | null) => hours && [[...hours.days].sort(), hours.from, hours.to];
  return JSON.stringify(plain(now)) === JSON.stringify(plain(wanted));
}

function changeSteps(session: Session, now: System, wanted: TreeSystem): Step[] {
  const name = wanted.name.normalize('NFC').trim();
  const limit = wanted.limit ?? null;
  const requireBoundTokens = wanted.requireBoundTokens ?? false;
  const addresses = wanted.addresses ?? null;
  const hours = wanted.hours ?? null;
  const change = {
    ...(now.name === name ? {} : { name }),
    ...(now.limit?.calls === limit?.calls && now.limit?.seconds === limit?.seconds ? {} : { limit }),
    ...(now.requireBoundTokens === requireBoundTokens ? {} : { requireBoundTokens }),
    ...(sameRanges(now.addresses, addresses) ? {} : { addresses }),
    ...(sameHours(now.hours, hours) ? {} : { hours }),
  };
  const fields = Object.keys(change);
  if (fields.length === 0) return [];
  const run = () => session.send(`system ${now.id}`, 'PATCH', pathOf(now.id), change);
  return [{ name: fields.join(', '), run }];
}

export async function applySystem(session: Session, system: TreeSystem): Promise<void> {
  const now = await session.find<System>(pathOf(system.id));
  if (now === null) {
    await register(session, system);
    return;
  }
  assertSame(now, system);
  const alive = now.state !== 'revoked';
  const steps = [
    ...changeSteps(session, now, system),
    ...(alive ? termSteps(session, wantedTerm(system), now.validTo) : []),
    ...(alive ? await credentialSteps(session, now.credentials, system) : []),
    ...stateSteps(session, wantedState(system), now.state),
  ];
  await session.carryOut('system', system.id, false, steps);
}
