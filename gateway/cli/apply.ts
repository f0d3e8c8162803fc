import type { ManagementApi } from './api.js';
import { applyAgency, parentsFirst } from './apply/agencies.js';
import { applyDocument } from './apply/documents.js';
import { applyCalendar } from './apply/calendar.js';
import { applyLegalBasis, successorsFirst } from './apply/legal-bases.js';
import { applyChannel } from './apply/channels.js';
import { applyService } from './apply/services.js';
import { applyPerson } from './apply/people.js';
import { type ApplyOptions, type ApplyResult, Session } from './apply/session.js';
import { applySharingRequest, applySubscription } from './apply/sharing.js';
import { applySystem } from './apply/systems.js';
import type { Tree } from './tree.js';

export type { AppliedRow, ApplyOptions, ApplyResult, MadeCredential } from './apply/session.js';
export { loadTree } from './tree.js';

/**
 * Brings a gateway to what a folder says: legal bases (successors first), the calendar, documents, agencies (parents
 * first), then systems and people, channels, services, subscriptions and sharing requests. What is already
 * so is left alone, so that a second run changes nothing; what the files do not mention stays as it is.
 *
 * Who saves a revision may not publish it: `approver` decides what a manager decides. Without one, what `api` may
 * not publish stays a draft, and its row says that it waits.
 *
 * @throws CommandFailure at the first refusal; what was done before it stays done
 * @example await applyTree({ api: httpApi(client), tree: loadTree('province', process.env) })
 */
export async function applyTree(
  { api, approver, tree }: { api: ManagementApi; approver?: ManagementApi | undefined; tree: Partial<Tree> },
  options: ApplyOptions = {},
): Promise<ApplyResult> {
  const session = new Session(api, options, approver);
  for (const basis of successorsFirst(tree.legalBases ?? [])) await applyLegalBasis(session, basis);
  await applyCalendar(session, tree.calendar ?? []);
  const documents = tree.documents ?? [];
  for (const document of documents) if (document.by === undefined) await applyDocument(session, document);
  for (const agency of parentsFirst(tree.agencies ?? [])) await applyAgency(session, agency);
  for (const system of tree.systems ?? []) await applySystem(session, system);
  for (const person of tree.people ?? []) await applyPerson(session, person);
  // These are entered by systems that had to be there first.
  for (const document of documents) if (document.by !== undefined) await applyDocument(session, document);
  for (const channel of tree.channels ?? []) await applyChannel(session, channel);
  for (const service of tree.services ?? []) await applyService(session, service);
  for (const one of tree.subscriptions ?? []) await applySubscription(session, one);
  for (const one of tree.sharingRequests ?? []) await applySharingRequest(session, one);
  return { rows: session.rows, credentials: session.credentials };
}
