import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { canonicalRange } from '../../base/address-set.js';
import { CommandFailure } from '../failure.js';
import type { TreeSystem } from '../tree.js';
import type { Session, Step } from './session.js';
import { stateSteps } from './states.js';

interface Credential {
  readonly kind: 'secret' | 'key' | 'certificate';
  readonly state: 'active' | 'expired' | 'revoked';
  readonly jwk?: JWK;
}

interface System {
  readonly id: string;
  readonly agency: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly state: TreeSystem['state'];
  readonly limit: { readonly calls: number; readonly seconds: number } | null;
  readonly requireBoundTokens: boolean;
  readonly addresses: readonly string[] | null;
  readonly credentials: readonly Credential[];
}

/** A credential on its way: what the gateway is sent, and what is kept once it agreed. */
interface Offer {
  readonly body: { readonly kind: 'secret' } | { readonly kind: 'key'; readonly jwk: JWK };
  readonly keep: (answer: { readonly secret?: string }) => void;
}

async function offer(session: Session, system: TreeSystem): Promise<Offer> {
  const { id, agency, auth } = system;
  if (system.publicJwk !== undefined)
    return { body: { kind: 'key', jwk: system.publicJwk }, keep: () => undefined };
  session.assertMayMake(id);
  if (auth === 'secret')
    return {
      body: { kind: 'secret' },
      keep: ({ secret = '' }) => session.keep({ id, agency, auth, secret }),
    };
  const pair = await generateKeyPair('ES256', { extractable: true });
  const kid = await calculateJwkThumbprint(await exportJWK(pair.publicKey));
  const jwk = { ...(await exportJWK(pair.privateKey)), alg: 'ES256', kid };
  return {
    body: { kind: 'key', jwk: { ...(await exportJWK(pair.publicKey)), alg: 'ES256', kid } },
    keep: () => session.keep({ id, agency, auth, jwk }),
  };
}

const pathOf = (id: string): string => `/systems/${encodeURIComponent(id)}`;

const wantedState = ({ id, state, document, reason }: TreeSystem) => ({
  ...{ label: `system ${id}`, path: pathOf(id), state },
  ...{ document, reason },
});

/** Without the members that are not there: the contract takes none that are undefined. */
const defined = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

async function register(session: Session, system: TreeSystem): Promise<void> {
  const { id, agency, name, roles, limit, document, validTo, requireBoundTokens, addresses } = system;
  if (session.options.dryRun !== true && system.publicJwk === undefined) session.assertMayMake(id);
  const run = async (): Promise<void> => {
    const { body, keep } = await offer(session, system);
    const asked = {
      id,
      agency,
      name,
      roles,
      ...defined({ limit, document, validTo, requireBoundTokens, addresses }),
      credential: body,
    };
    const answer = await session.send(`system ${id}`, 'POST', '/systems', asked);
    keep((answer as { credential: { secret?: string } }).credential);
  };
  const steps = [{ name: 'register', run }, ...stateSteps(session, wantedState(system), 'active')];
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

function changeSteps(session: Session, now: System, wanted: TreeSystem): Step[] {
  const name = wanted.name.normalize('NFC').trim();
  const limit = wanted.limit ?? null;
  const requireBoundTokens = wanted.requireBoundTokens ?? false;
  const addresses = wanted.addresses ?? null;
  const change = {
    ...(now.name === name ? {} : { name }),
    ...(now.limit?.calls === limit?.calls && now.limit?.seconds === limit?.seconds ? {} : { limit }),
    ...(now.requireBoundTokens === requireBoundTokens ? {} : { requireBoundTokens }),
    ...(sameRanges(now.addresses, addresses) ? {} : { addresses }),
  };
  const fields = Object.keys(change);
  if (fields.length === 0) return [];
  const run = () => session.send(`system ${now.id}`, 'PATCH', pathOf(now.id), change);
  return [{ name: fields.join(', '), run }];
}

async function holdsWhatItNeeds(now: System, wanted: TreeSystem): Promise<boolean> {
  const live = now.credentials.filter(({ state, kind }) => state === 'active' && kind === wanted.auth);
  if (wanted.publicJwk === undefined) return live.length > 0;
  const thumbprint = await calculateJwkThumbprint(wanted.publicJwk);
  for (const { jwk } of live)
    if (jwk !== undefined && (await calculateJwkThumbprint(jwk)) === thumbprint) return true;
  return false;
}

async function credentialSteps(session: Session, now: System, wanted: TreeSystem): Promise<Step[]> {
  if (now.state === 'revoked' || (await holdsWhatItNeeds(now, wanted))) return [];
  const { id, auth } = wanted;
  if (session.options.dryRun !== true && wanted.publicJwk === undefined) session.assertMayMake(id);
  const run = async (): Promise<void> => {
    const { body, keep } = await offer(session, wanted);
    const [place, sent] = body.kind === 'key' ? ['keys', { jwk: body.jwk }] : ['secrets', {}];
    keep((await session.send(`system ${id}`, 'POST', `${pathOf(id)}/${place}`, sent)) as { secret?: string });
  };
  return [{ name: `add ${auth}`, run }];
}

export async function applySystem(session: Session, system: TreeSystem): Promise<void> {
  const now = await session.find<System>(pathOf(system.id));
  if (now === null) {
    await register(session, system);
    return;
  }
  assertSame(now, system);
  const steps = [
    ...changeSteps(session, now, system),
    ...(await credentialSteps(session, now, system)),
    ...stateSteps(session, wantedState(system), now.state),
  ];
  await session.carryOut('system', system.id, false, steps);
}
