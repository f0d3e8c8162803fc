import { majorOf, type Manifest, ManifestSchema, serviceId } from '../../catalogue/manifest.js';
import { revisionDigest } from '../../control/services/digest.js';
import { CommandFailure } from '../failure.js';
import type { TreeService } from '../tree.js';
import type { Session, Step } from './session.js';

type State = TreeService['state'];
export type ServiceStep = 'create' | 'save draft' | 'publish' | 'suspend' | 'resume' | 'retire';

interface Ending {
  readonly sunsetOn: string;
  readonly successor: string | null;
}

/** What the gateway says of a service. */
export interface ServiceNow {
  readonly state: State;
  readonly publishedRevision: number | null;
  readonly latestRevision: number;
  readonly deprecation?: Ending | null;
  readonly sharing?: Manifest['sharing'];
}

/** What a review took off the default list comes back by a change request, never by a file that was not brought up to date. */
function assertStaysOffList(id: string, now: ServiceNow | null, { sharing }: Manifest): void {
  if (now === null || now.publishedRevision === null) return;
  if (now.sharing !== 'special' || sharing !== 'default') return;
  throw new CommandFailure(
    `service ${id}: it is shared by special request, and manifest.yaml says default; write sharing: special, or have it promoted by a change request (service.promote)`,
  );
}

function statesAfterPublishing(wanted: State): ServiceStep[] {
  if (wanted === 'draft') return [];
  if (wanted === 'published') return ['publish'];
  return ['publish', wanted === 'suspended' ? 'suspend' : 'retire'];
}

/**
 * The way from what is there to what the files say.
 *
 * @param same whether the latest revision there is the content of the files
 * @param resend whether credentials must be sent though the content is the same
 * @returns null when no way leads there
 */
export function planService(
  now: ServiceNow | null,
  wanted: State,
  same: boolean,
  resend: boolean,
): ServiceStep[] | null {
  if (now === null) return ['create', ...statesAfterPublishing(wanted)];
  if (now.state === 'retired') return wanted === 'retired' ? [] : null;
  if (wanted === 'retired') return now.state === 'draft' ? ['publish', 'retire'] : ['retire'];
  const draft: ServiceStep[] = same && !resend ? [] : ['save draft'];
  const pending = !same || now.latestRevision !== now.publishedRevision;
  if (wanted === 'draft') return draft;
  if (wanted === 'published') {
    if (pending) return [...draft, 'publish'];
    return now.state === 'suspended' ? [...draft, 'resume'] : draft;
  }
  // What is suspended stays so: publishing would put it in force for a moment.
  if (now.state === 'suspended') return draft;
  return [...draft, ...(pending ? (['publish'] as const) : []), 'suspend'];
}

function manifestOf({ manifest, folder }: TreeService): Manifest {
  const parsed = ManifestSchema.safeParse(manifest);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `  /${issue.path.join('/')} ${issue.message}`);
  throw new CommandFailure([`${folder}/manifest.yaml:`, ...faults].join('\n'));
}

interface Target {
  readonly session: Session;
  readonly service: TreeService;
  readonly id: string;
  readonly path: string;
}

function toStep({ session, service, id, path }: Target, name: ServiceStep): Step {
  const content = {
    manifest: service.manifest,
    document: service.document,
    credentials: service.credentials,
  };
  const reason = { reason: service.reason ?? 'lgsp apply' };
  const what = `service ${id}: ${name}`;
  const calls: Record<ServiceStep, () => Promise<unknown>> = {
    create: () => session.send(what, 'POST', '/services', content),
    'save draft': () => session.send(what, 'PUT', `${path}/draft`, content),
    publish: () => session.publish(what, `${path}/publish`),
    suspend: () => session.decide(what, `${path}/suspend`, reason),
    resume: () => session.decide(what, `${path}/resume`),
    retire: () => session.decide(what, `${path}/retire`, reason),
  };
  return { name, run: calls[name] };
}

async function mustResend(target: Target): Promise<boolean> {
  const { session, service, path } = target;
  const names = Object.keys(service.credentials);
  if (names.length === 0) return false;
  if (session.options.refreshCredentials === true) return true;
  const stored = await session.find<{ credentialNames: string[] }>(`${path}/manifest`);
  return names.some((name) => stored?.credentialNames.includes(name) !== true);
}

export async function applyService(session: Session, service: TreeService): Promise<void> {
  const manifest = manifestOf(service);
  const id = serviceId(manifest.provider, manifest.slug, majorOf(manifest.version));
  const target: Target = { session, service, id, path: `/services/${id}` };
  const now = await session.find<ServiceNow & { latestSha256: string }>(target.path);
  const same = now?.latestSha256 === revisionDigest(manifest, service.document);
  const resend = now !== null && (await mustResend(target));
  const names = planService(now, service.state, same, resend);
  if (names === null) throw new CommandFailure(`service ${id}: it is retired, and that is final`);
  if (names.includes('publish')) assertStaysOffList(id, now, manifest);
  await session.carryOut('service', id, now === null, [
    ...names.map((name) => toStep(target, name)),
    ...endingSteps(target, now?.deprecation ?? null),
  ]);
}

/** Whether an end is planned, and which: said by whoever decides, as publishing is. */
function endingSteps({ session, service, id, path }: Target, now: Ending | null): Step[] {
  const { ending, state } = service;
  const alive = state === 'published' || state === 'suspended';
  const same = now?.sunsetOn === ending?.sunsetOn && (now?.successor ?? null) === (ending?.successor ?? null);
  if (!alive || same) return [];
  const reason = service.reason ?? 'lgsp apply';
  const name = ending === undefined ? 'undeprecate' : 'deprecate';
  const body =
    ending === undefined
      ? { reason }
      : {
          sunsetOn: ending.sunsetOn,
          reason,
          ...(ending.successor === null ? {} : { successor: ending.successor }),
        };
  return [{ name, run: () => session.decide(`service ${id}: ${name}`, `${path}/${name}`, body) }];
}
