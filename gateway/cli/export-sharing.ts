import type { ManagementApi } from './api.js';
import { all, present, read, yaml } from './export-reading.js';
import { WANTED_STATES } from './tree-sharing.js';

interface Grant {
  readonly service: string;
  readonly system: string;
  readonly purpose: string;
  readonly sharing: string;
  readonly state: string;
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
  readonly system: string;
  readonly state: string;
  readonly amends: string | null;
  readonly content: Readonly<Record<string, unknown>>;
  readonly agreement: object | null;
  readonly steps: readonly Step[];
}

const documentOf = (steps: readonly Step[], name: string): string | null =>
  steps.findLast(({ step }) => step === name)?.document ?? null;

function requestEntry(request: SharingRequest) {
  const { service, system, state, content, agreement, steps } = request;
  const actor = (side: string): string => steps.find((step) => step.side === side)?.actor ?? system;
  const last = steps.at(-1);
  const documents = present({
    consumer: documentOf(steps, 'submit'),
    provider: documentOf(steps, 'agree'),
    manager: documentOf(steps, 'approve'),
  });
  return present({
    service,
    system,
    state,
    by: { consumer: actor('consumer'), provider: actor('provider') },
    ...present(content),
    fields: content['fields'] ?? null,
    agreement,
    documents: Object.keys(documents).length === 0 ? null : documents,
    reason: last?.reason ?? null,
    refusalBasis: state === 'refused' ? (last?.legalBasis ?? null) : null,
  });
}

/**
 * `subscriptions.yaml` and `sharing-requests.yaml`. What has expired, and what amended a grant, is history that files do
 * not bring back; `tryCalls` is to be added by hand, since calls are not kept.
 */
export async function sharingFiles(api: ManagementApi): Promise<Record<string, string>> {
  const grants = await all<Grant>(api, '/grants');
  const subscriptions = grants
    .filter(
      ({ sharing, state }) => sharing === 'default' && ['requested', 'active', 'suspended'].includes(state),
    )
    .map(({ service, system, purpose }) => ({ service, system, purpose, by: system }));
  const requests: object[] = [];
  for (const { id, state, amends } of await all<SharingRequest>(api, '/sharing-requests')) {
    if (amends !== null || !(WANTED_STATES as readonly string[]).includes(state)) continue;
    requests.push(requestEntry(await read<SharingRequest>(api, `/sharing-requests/${id}`)));
  }
  return {
    ...(subscriptions.length === 0 ? {} : { 'subscriptions.yaml': yaml(subscriptions) }),
    ...(requests.length === 0 ? {} : { 'sharing-requests.yaml': yaml(requests) }),
  };
}
