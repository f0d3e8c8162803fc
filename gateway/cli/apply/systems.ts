import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { CommandFailure } from '../failure.js';
import type { TreeSystem } from '../tree.js';
import type { Session, Step } from './session.js';

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

/** Which acts lead from one state to another; the gateway's own table decides whether they may. */
const ACTS: Readonly<Record<string, string>> = {
  'active locked': 'lock',
  'active revoked': 'revoke',
  'locked active': 'unlock',
  'locked revoked': 'revoke',
};

function stateSteps(session: Session, system: TreeSystem, now: TreeSystem['state']): Step[] {
  const { id, state, document, reason = 'lgsp apply' } = system;
  const ground = { reason, ...(document === undefined ? {} : { document }) };
  if (now === state) return [];
  const act = ACTS[`${now} ${state}`];
  if (act === undefined) throw new CommandFailure(`system ${id}: it is ${now} and cannot become ${state}`);
  const run = () => session.send(`system ${id}`, 'POST', `${pathOf(id)}/${act}`, ground);
  return [{ name: act, run }];
}

/** Without the members that are not there: the contract takes none that are undefined. */
const defined = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

async function register(session: Session, system: TreeSystem): Promise<void> {
  const { id, agency, name, roles, limit, document, validTo, requireBoundTokens } = system;
  if (session.options.dryRun !== true && system.publicJwk === undefined) session.assertMayMake(id);
  const run = async (): Promise<void> => {
    const { body, keep } = await offer(session, system);
    const asked = {
      id,
      agency,
      name,
      roles,
      ...defined({ limit, document, validTo, requireBoundTokens }),
      credential: body,
    };
    const answer = await session.send(`system ${id}`, 'POST', '/systems', asked);
    keep((answer as { credential: { secret?: string } }).credential);
  };
  const steps = [{ name: 'register', run }, ...stateSteps(session, system, 'active')];
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

function changeSteps(session: Session, now: System, wanted: TreeSystem): Step[] {
  const name = wanted.name.normalize('NFC').trim();
  const limit = wanted.limit ?? null;
  const requireBoundTokens = wanted.requireBoundTokens ?? false;
  const change = {
    ...(now.name === name ? {} : { name }),
    ...(now.limit?.calls === limit?.calls && now.limit?.seconds === limit?.seconds ? {} : { limit }),
    ...(now.requireBoundTokens === requireBoundTokens ? {} : { requireBoundTokens }),
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
    ...stateSteps(session, system, now.state),
  ];
  await session.carryOut('system', system.id, false, steps);
}
