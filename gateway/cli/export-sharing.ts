import type { GrantNow } from './apply/suspensions.js';
import type { ManagementApi } from './api.js';
import { tryCallsOf } from './export-calls.js';
import { all, ask, present, read, yaml } from './export-reading.js';
import { clientOf, type ExportedSystem } from './export-systems.js';
import { SIDES, type SharingSide, WANTED_STATES } from './tree-sharing.js';

interface Grant extends GrantNow {
  readonly provider: string;
  readonly consumer: string;
  readonly approved: { readonly perDay: number | null; readonly perMinute: number | null };
  readonly reason: string | null;
  readonly document: string | null;
}

interface Step {
  readonly step: string;
  readonly side: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly document: string | null;
  readonly legalBasis: string | null;
}

interface SharingRequest {
  readonly id: string;
  readonly service: string;
  readonly provider: string;
  readonly consumer: string;
  readonly system: string;
  readonly state: string;
  readonly purpose: string;
  readonly amends: string | null;
  readonly grant: string | null;
  readonly content: Readonly<Record<string, unknown>>;
  readonly agreement: object | null;
  readonly steps: readonly Step[];
}

type Systems = readonly ExportedSystem[];

const SUSPENDED_BY = 'lgsp export';

/** Each side that holds it, with what it held it on. */
function suspended(
  { suspended: flags }: Grant,
  groundOf: (side: SharingSide) => { readonly reason: string | null; readonly document: string | null },
): object {
  const held = SIDES.filter((side) => flags[side] !== null);
  return Object.fromEntries(
    held.map((side) => {
      const { reason, document } = groundOf(side);
      return [side, present({ reason: reason ?? SUSPENDED_BY, document })];
    }),
  );
}

function subscriptionEntry(grant: Grant, systems: Systems): object {
  const { service, system, purpose, state, reason, document } = grant;
  const isHeld = state === 'suspended';
  const provider = isHeld && grant.suspended.provider !== null;
  const by = { consumer: system, provider: clientOf(systems, grant.provider, ['provider']) };
  return present({
    ...{ service, system, purpose, state, by: provider ? present(by) : system },
    suspended: isHeld ? suspended(grant, () => ({ reason, document })) : null,
  });
}

const lastStep = (steps: readonly Step[], name: string, side?: SharingSide): Step | undefined =>
  steps.findLast((one) => one.step === name && (side === undefined || one.side === side));

const documentOf = (steps: readonly Step[], name: string): string | null =>
  lastStep(steps, name)?.document ?? null;

/** What the step that led beside the straight way rested on. */
function lastGround({ state, steps }: SharingRequest): object {
  if (!['needs_changes', 'refused', 'withdrawn', 'terminated'].includes(state)) return {};
  const last = steps.at(-1);
  return {
    reason: last?.reason,
    document: last?.document,
    endedBy: state === 'terminated' && last?.side !== 'consumer' ? last?.side : null,
    refusalBasis: state === 'refused' ? last?.legalBasis : null,
  };
}

/** What a grant has beyond its request: a lowered quota, and who holds it. */
function grantPart(grant: Grant | undefined, { state, steps }: SharingRequest): object {
  if (grant === undefined || (state !== 'active' && state !== 'suspended')) return {};
  const { quota, approved } = grant;
  const same = quota.perDay === approved.perDay && quota.perMinute === approved.perMinute;
  const groundOf = (side: SharingSide) =>
    lastStep(steps, 'suspend', side) ?? { reason: grant.reason, document: null };
  return {
    quota: same ? null : quota,
    suspended: state === 'suspended' ? suspended(grant, groundOf) : null,
  };
}

const TRIED = ['active', 'suspended', 'terminated'];

class Exporting {
  readonly #api: ManagementApi;
  readonly #systems: Systems;
  readonly #grants: ReadonlyMap<string, Grant>;

  constructor(api: ManagementApi, systems: Systems, grants: readonly Grant[]) {
    this.#api = api;
    this.#systems = systems;
    this.#grants = new Map(grants.map((grant) => [grant.id, grant]));
  }

  async #tryCalls({ service, state, content }: SharingRequest): Promise<string[] | null> {
    if (!TRIED.includes(state)) return null;
    const { text } = await ask(this.#api, `/services/${service}/document`);
    const calls = tryCallsOf(text, (content['operations'] ?? []) as string[]);
    return calls.length === 0 ? null : calls;
  }

  async entry(request: SharingRequest): Promise<object> {
    const { service, system, state, content, agreement, steps } = request;
    const actor = (side: 'consumer' | 'provider'): string | null =>
      clientOf(this.#systems, request[side], [side], steps.find((step) => step.side === side)?.actor);
    const documents = present({
      consumer: documentOf(steps, 'submit'),
      provider: documentOf(steps, 'agree'),
      manager: documentOf(steps, 'approve'),
    });
    return present({
      ...{ service, system, state },
      by: { consumer: actor('consumer') ?? system, provider: actor('provider') ?? '' },
      ...present(content),
      agreement,
      documents: Object.keys(documents).length === 0 ? null : documents,
      ...lastGround(request),
      ...grantPart(this.#grants.get(request.grant ?? ''), request),
      tryCalls: await this.#tryCalls(request),
    });
  }
}

/** Whether it stands, or stood, for a grant: what was superseded does not, and an amendment does once it was approved. */
function counts({ state, amends, steps }: SharingRequest): boolean {
  if (!(WANTED_STATES as readonly string[]).includes(state)) return false;
  if (steps.at(-1)?.step === 'supersede') return false;
  return amends === null || ['active', 'suspended', 'terminated'].includes(state);
}

/** Files tell requests apart by service, system and purpose: of those that are alike, the last one stands. */
async function requestsToSay(api: ManagementApi): Promise<SharingRequest[]> {
  const last = new Map<string, SharingRequest>();
  for (const { id } of await all<SharingRequest>(api, '/sharing-requests')) {
    const request = await read<SharingRequest>(api, `/sharing-requests/${id}`);
    const key = JSON.stringify([request.service, request.system, request.purpose]);
    if (counts(request)) last.set(key, request);
  }
  return [...last.values()];
}

const LIVE = ['requested', 'active', 'suspended'];

/**
 * `subscriptions.yaml` and `sharing-requests.yaml`: each as it stands now, an amended grant by what amended it. What has
 * expired, and an amendment that is still asked for, are not files' to bring back; see
 * `docs/decisions/2026-11-26-what-files-carry.md`.
 */
export async function sharingFiles(api: ManagementApi, systems: Systems): Promise<Record<string, string>> {
  const grants = await all<Grant>(api, '/grants');
  const subscriptions = grants
    .filter(({ sharing, state }) => sharing === 'default' && LIVE.includes(state))
    .map((grant) => subscriptionEntry(grant, systems));
  const exporting = new Exporting(api, systems, grants);
  const requests: object[] = [];
  for (const request of await requestsToSay(api)) requests.push(await exporting.entry(request));
  return {
    ...(subscriptions.length === 0 ? {} : { 'subscriptions.yaml': yaml(subscriptions) }),
    ...(requests.length === 0 ? {} : { 'sharing-requests.yaml': yaml(requests) }),
  };
}
