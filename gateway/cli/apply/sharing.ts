import { CommandFailure } from '../failure.js';
import type { SharingSide, TreeSharingRequest } from '../tree-sharing.js';
import type { Session, Step } from './session.js';
import {
  defined,
  type GrantNow,
  type Ground,
  stepBy,
  suspensionSteps,
  type TakeStep,
  wantedSuspensions,
} from './suspensions.js';

interface Found {
  readonly id: string;
  readonly state: string;
  readonly purpose: string;
  readonly system: string;
  readonly amends: string | null;
  readonly grant: string | null;
  readonly tasks?: readonly {
    readonly seq: number;
    readonly party: string;
    readonly doneAt: string | null;
  }[];
}

interface Page<T> {
  readonly items: readonly T[];
}

const same = (one: string, other: string): boolean =>
  one.normalize('NFC').trim() === other.normalize('NFC').trim();

/** By which steps a state is reached from the one before; the straight way. */
const WAY = ['draft', 'submitted', 'in_review', 'agreed', 'preparing', 'testing', 'active'] as const;
/** States beside the way: from where, by which step, taken by whom. */
const ASIDE: Readonly<Record<string, readonly [from: string, step: string, by: SharingSide]>> = {
  needs_changes: ['in_review', 'ask_changes', 'provider'],
  refused: ['in_review', 'refuse', 'provider'],
  withdrawn: ['submitted', 'withdraw', 'consumer'],
  terminated: ['active', 'terminate', 'consumer'],
};

type Way = readonly (typeof WAY)[number][];

/** A suspended request is an active one that somebody holds. */
const unheld = (state: string): string => (state === 'suspended' ? 'active' : state);

/** What lies between a state and the one that is wanted; null when no way leads there. */
export function statesBetween(now: string | null, asked: string): readonly string[] | null {
  const wanted = unheld(asked);
  const [last] = ASIDE[wanted] ?? [wanted];
  const end = (WAY as readonly string[]).indexOf(last);
  if (now !== null && unheld(now) === wanted) return [];
  // Changes were asked for: it is handed in again as the file now has it, and goes on from the review.
  const again = now === 'needs_changes' && end >= WAY.indexOf('in_review');
  const start = now === null ? -1 : (WAY as readonly string[]).indexOf(again ? 'in_review' : unheld(now));
  if ((now !== null && start < 0) || start > end) return null;
  const way: Way = WAY.slice(start + 1, end + 1);
  return [...(again ? ['resubmitted'] : []), ...way, ...(wanted === last ? [] : [wanted])];
}

/** A request that has ended, or is past what was wanted, is history: files do not bring it back. */
const ENDED = ['expired', 'terminated', 'refused', 'withdrawn'];

function contentOf(wanted: TreeSharingRequest): object {
  const { purpose, legalBasis, operations, fields, perDay, perMinute, from, until, afterUse } = wanted;
  const content = { purpose, legalBasis, operations, fields, perDay, perMinute, from, until, afterUse };
  return defined(content);
}

/** One run of one request towards the state that its file wants. */
class Walk {
  readonly #session: Session;
  readonly #wanted: TreeSharingRequest;
  readonly take: TakeStep;
  #id: string | null;

  constructor(session: Session, wanted: TreeSharingRequest, id: string | null) {
    this.#session = session;
    this.#wanted = wanted;
    this.#id = id;
    this.take = stepBy(session, wanted.by, () => ({ what: this.#what, path: `${this.#path}/steps` }));
  }

  stepTo(state: string): Step {
    return { name: state, run: () => this.#go(state) };
  }

  async #go(state: string): Promise<unknown> {
    const { documents, agreement } = this.#wanted;
    switch (state) {
      case 'draft':
        await this.#draft();
        return undefined;
      case 'submitted':
        return await this.take('consumer', 'submit', { document: documents.consumer });
      case 'resubmitted':
        return await this.#resubmit();
      case 'in_review':
        return await this.take('provider', 'take', {});
      case 'agreed':
        return await this.take('provider', 'agree', {
          document: documents.provider,
          ...defined({ agreement }),
        });
      case 'preparing':
        return await this.#session.decide(this.#what, `${this.#path}/steps`, {
          step: 'approve',
          ...defined({ document: documents.manager }),
        });
      case 'testing':
        return await this.#prepare();
      case 'active':
        await this.#activate();
        return undefined;
      default:
        return await this.#aside(state);
    }
  }

  async #aside(state: string): Promise<unknown> {
    const { documents, reason, refusalBasis, endedBy } = this.#wanted;
    const [, step, usual] = ASIDE[state] ?? ['', state, 'consumer' as const];
    const side = step === 'terminate' ? (endedBy ?? usual) : usual;
    const own = side === 'platform' ? documents.manager : documents[side];
    const ground: Ground = { reason, document: this.#wanted.document ?? own };
    const basis = step === 'refuse' ? defined({ legalBasis: refusalBasis }) : {};
    return await this.take(side, step, { ...ground, ...basis });
  }

  /** What the file says now takes the place of what was found wanting. */
  async #resubmit(): Promise<unknown> {
    const { by, documents } = this.#wanted;
    await this.#session.sendAs(by.consumer, this.#what, 'PATCH', this.#path, contentOf(this.#wanted));
    return await this.take('consumer', 'resubmit', { document: documents.consumer });
  }

  get #what(): string {
    return `sharing request ${this.#id ?? this.#wanted.service}`;
  }

  get #path(): string {
    return `/sharing-requests/${this.#id ?? ''}`;
  }

  async #draft(): Promise<void> {
    const { service, system, by } = this.#wanted;
    const body = { service, system, ...contentOf(this.#wanted) };
    const made = await this.#session.sendAs(by.consumer, this.#what, 'POST', '/sharing-requests', body);
    this.#id = (made as { id: string }).id;
  }

  async #prepare(): Promise<unknown> {
    const { by } = this.#wanted;
    const found = await this.#session.find<Found>(this.#path);
    for (const { seq, party, doneAt } of found?.tasks ?? []) {
      if (doneAt !== null) continue;
      const path = `${this.#path}/tasks/${seq}`;
      const sent = { done: true };
      if (party === 'platform') await this.#session.send(this.#what, 'PUT', path, sent);
      else
        await this.#session.sendAs(
          party === 'consumer' ? by.consumer : by.provider,
          this.#what,
          'PUT',
          path,
          sent,
        );
    }
    return await this.take('provider', 'begin_testing', {});
  }

  async #activate(): Promise<void> {
    const { service, system, tryCalls, by } = this.#wanted;
    for (const path of tryCalls) await this.#session.tryOut(system, `/sandbox/${service}${path}`);
    await this.#session.sendAs(by.provider, `${this.#what}: test`, 'POST', `${this.#path}/tests`);
    const { grant } = (await this.take('provider', 'activate', {})) as { grant: string };
    await this.setQuota(grant);
  }

  async setQuota(grant: string): Promise<void> {
    const { quota, by } = this.#wanted;
    if (quota === undefined) return;
    await this.#session.sendAs(by.consumer, `grant ${grant}`, 'PUT', `/grants/${grant}/quota`, quota);
  }
}

/** Requests that stand, or stood, for a grant; an amendment does so once it was approved. */
const GRANTED = ['active', 'suspended', 'terminated', 'expired'];
const LIVE = ['active', 'suspended'];

async function findRequest(session: Session, wanted: TreeSharingRequest): Promise<Found | null> {
  const path = `/sharing-requests?service=${encodeURIComponent(wanted.service)}&limit=500`;
  // A draft is its maker's alone to see.
  const page = (await session.findAs(wanted.by.consumer, path)) as Page<Found> | null;
  const mine = (page?.items ?? []).filter(
    ({ system, purpose, amends, state }) =>
      system === wanted.system &&
      same(purpose, wanted.purpose) &&
      (amends === null || GRANTED.includes(state)),
  );
  return mine.find(({ state }) => LIVE.includes(state)) ?? mine.at(-1) ?? null;
}

/** What is to change of a grant that is at work: its quota within what was approved, and who holds it. */
async function grantSteps(session: Session, walk: Walk, wanted: TreeSharingRequest, id: string | null) {
  const grant = id === null ? null : await session.find<GrantNow>(`/grants/${id}`);
  const { quota, reason, document, documents } = wanted;
  const differs =
    quota !== undefined &&
    grant !== null &&
    (grant.quota.perDay !== quota.perDay ||
      (quota.perMinute !== undefined && grant.quota.perMinute !== quota.perMinute));
  const held = wantedSuspensions({ ...wanted, document: document ?? documents.provider });
  const steps: Step[] = [
    ...(differs ? [{ name: 'quota', run: () => walk.setQuota(id ?? '') }] : []),
    ...suspensionSteps(walk.take, grant?.suspended ?? null, held, { reason, document }),
  ];
  return steps;
}

/** Takes a request as far as its file says, each step by the client of the side that takes it. */
export async function applySharingRequest(session: Session, wanted: TreeSharingRequest): Promise<void> {
  const found = await findRequest(session, wanted);
  const key = found?.id ?? `${wanted.system} ${wanted.service}`;
  const between = statesBetween(found?.state ?? null, wanted.state);
  if (between === null) {
    if (found !== null && ENDED.includes(found.state)) {
      await session.carryOut('sharing_request', key, false, []);
      return;
    }
    throw new CommandFailure(`${key}: it is ${found?.state ?? ''} and cannot become ${wanted.state}`);
  }
  const walk = new Walk(session, wanted, found?.id ?? null);
  const atWork = LIVE.includes(wanted.state);
  const rest = atWork ? await grantSteps(session, walk, wanted, found?.grant ?? null) : [];
  const steps = [...between.map((state) => walk.stepTo(state)), ...rest];
  await session.carryOut('sharing_request', key, found === null, steps);
}
