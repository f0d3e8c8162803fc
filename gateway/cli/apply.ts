import type { ManagementApi } from './api.js';
import { applyAgency, parentsFirst } from './apply/agencies.js';
import { Entering, enterServices } from './apply/entering.js';
import { applyCalendar } from './apply/calendar.js';
import { applyLegalBasis, successorsFirst } from './apply/legal-bases.js';
import { applyChannel } from './apply/channels.js';
import { applyService } from './apply/services.js';
import { applyPerson } from './apply/people.js';
import { type ApplyOptions, type ApplyResult, Session } from './apply/session.js';
import { applySharingRequest } from './apply/sharing.js';
import { applySubscription } from './apply/subscriptions.js';
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
  const entering = new Entering(session, tree);
  await entering.ownDocuments();
  for (const agency of parentsFirst(tree.agencies ?? [])) {
    await entering.ground(agency.document);
    await applyAgency(session, agency);
  }
  await entering.systems();
  for (const person of tree.people ?? []) {
    await entering.ground(person.document);
    await applyPerson(session, person);
  }
  await entering.otherDocuments();
  for (const channel of tree.channels ?? []) await applyChannel(session, channel);
  const ending = await enterServices(session, tree);
  for (const one of tree.subscriptions ?? []) await applySubscription(session, one);
  for (const one of tree.sharingRequests ?? []) await applySharingRequest(session, one);
  for (const service of ending) await applyService(session, service);
  await entering.close();
  return { rows: session.rows, credentials: session.credentials };
}
