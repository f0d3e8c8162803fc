import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { CommandFailure } from '../failure.js';
import type { TreeCredential, TreeSystem } from '../tree-systems.js';
import type { Session, Step } from './session.js';

/** What the gateway shows of a credential. */
export interface Credential {
  readonly kind: TreeCredential['kind'];
  readonly state: 'active' | 'expired' | 'revoked';
  readonly jwk?: JWK;
  readonly certificate?: { readonly 'x5t#S256': string };
}

type Body =
  | { readonly kind: 'secret' }
  | { readonly kind: 'key'; readonly jwk: JWK }
  | { readonly kind: 'certificate'; readonly certificate: string };

/** A credential on its way: what the gateway is sent, and what is kept once it agreed. */
interface Offer {
  readonly body: Body;
  readonly keep: (answer: { readonly secret?: string }) => void;
}

/** What a system is to prove itself with; of a certificate-only one never anything else. */
export function wantedCredentials({ auth, publicJwk, credentials }: TreeSystem): readonly TreeCredential[] {
  if (credentials !== undefined) return credentials;
  if (auth !== 'key') return [{ kind: 'secret' }];
  return [{ kind: 'key', ...(publicJwk === undefined ? {} : { jwk: publicJwk }) }];
}

const isMade = (wanted: TreeCredential): boolean =>
  wanted.kind === 'secret' || (wanted.kind === 'key' && wanted.jwk === undefined);

function pemOf(id: string, wanted: Extract<TreeCredential, { kind: 'certificate' }>): string {
  if (wanted.pem !== null) return wanted.pem;
  const file = `certificates/${wanted.file ?? `${id}.pem`}`;
  throw new CommandFailure(`system ${id}: put the certificate ${wanted.thumbprint} into ${file}, in PEM`);
}

async function madeKey(session: Session, { id, agency }: TreeSystem): Promise<Offer> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const kid = await calculateJwkThumbprint(await exportJWK(pair.publicKey));
  const jwk = { ...(await exportJWK(pair.privateKey)), alg: 'ES256', kid };
  return {
    body: { kind: 'key', jwk: { ...(await exportJWK(pair.publicKey)), alg: 'ES256', kid } },
    keep: () => session.keep({ id, agency, auth: 'key', jwk }),
  };
}

/** @throws CommandFailure when it cannot be kept, or its certificate is not in the folder */
export async function offer(session: Session, system: TreeSystem, wanted: TreeCredential): Promise<Offer> {
  const { id, agency } = system;
  const keep = () => undefined;
  if (wanted.kind === 'certificate')
    return { body: { kind: 'certificate', certificate: pemOf(id, wanted) }, keep };
  if (wanted.kind === 'key' && wanted.jwk !== undefined)
    return { body: { kind: 'key', jwk: wanted.jwk }, keep };
  session.assertMayMake(id);
  if (wanted.kind === 'key') return await madeKey(session, system);
  return {
    body: { kind: 'secret' },
    keep: ({ secret = '' }) => session.keep({ id, agency, auth: 'secret', secret }),
  };
}

/** Says before anything is done what will be missing. */
export function assertReady(session: Session, { id }: TreeSystem, wanted: TreeCredential): void {
  if (session.options.dryRun === true) return;
  if (isMade(wanted)) session.assertMayMake(id);
  if (wanted.kind === 'certificate') pemOf(id, wanted);
}

async function holds(live: readonly Credential[], wanted: TreeCredential): Promise<boolean> {
  const alike = live.filter(({ kind }) => kind === wanted.kind);
  if (wanted.kind === 'certificate')
    return alike.some(({ certificate }) => certificate?.['x5t#S256'] === wanted.thumbprint);
  if (wanted.kind === 'secret' || wanted.jwk === undefined) return alike.length > 0;
  const thumbprint = await calculateJwkThumbprint(wanted.jwk);
  for (const { jwk } of alike)
    if (jwk !== undefined && (await calculateJwkThumbprint(jwk)) === thumbprint) return true;
  return false;
}

const PLACES = { secret: 'secrets', key: 'keys', certificate: 'certificates' } as const;

/** The step that gives a system one more credential. */
export function addStep(session: Session, system: TreeSystem, wanted: TreeCredential): Step {
  const { id } = system;
  assertReady(session, system, wanted);
  const run = async (): Promise<void> => {
    const { body, keep } = await offer(session, system, wanted);
    const { kind, ...sent } = body;
    const path = `/systems/${encodeURIComponent(id)}/${PLACES[kind]}`;
    keep((await session.send(`system ${id}`, 'POST', path, sent)) as { secret?: string });
  };
  return { name: `add ${wanted.kind}`, run };
}

/** What a system that is there still lacks. Credentials that the files do not name stay as they are. */
export async function credentialSteps(
  session: Session,
  now: readonly Credential[],
  system: TreeSystem,
): Promise<Step[]> {
  const live = now.filter(({ state }) => state === 'active');
  const steps: Step[] = [];
  for (const wanted of wantedCredentials(system))
    if (!(await holds(live, wanted))) steps.push(addStep(session, system, wanted));
  return steps;
}
