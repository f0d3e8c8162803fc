import { CommandFailure } from '../failure.js';
import type { TreeSharingRequest, TreeSubscription } from '../tree-sharing.js';
import type { Session, Step } from './session.js';

interface Found {
  readonly id: string;
  readonly state: string;
  readonly purpose: string;
  readonly system: string;
  readonly amends: string | null;
  readonly tasks?: readonly {
    readonly seq: number;
    readonly party: string;
    readonly doneAt: string | null;
  }[];
}

interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

const same = (one: string, other: string): boolean =>
  one.normalize('NFC').trim() === other.normalize('NFC').trim();

/** A subscription that is there, or was asked for, is left alone. */
export async function applySubscription(session: Session, wanted: TreeSubscription): Promise<void> {
  const { service, system, purpose, by } = wanted;
  const query = `service=${encodeURIComponent(service)}&system=${encodeURIComponent(system)}`;
  const page = await session.find<Page<{ state: string }>>(`/grants?${query}&limit=500`);
  const there =
    page?.items.some(({ state }) => ['requested', 'active', 'suspended'].includes(state)) === true;
  const run = () =>
    session.sendAs(by, `subscription of ${system} to ${service}`, 'POST', '/subscriptions', {
      service,
      system,
      purpose,
    });
  await session.carryOut(
    'subscription',
    `${system} ${service}`,
    !there,
    there ? [] : [{ name: 'subscribe', run }],
  );
}

/** By which steps a state is reached from the one before; the straight way. */
const WAY = ['draft', 'submitted', 'in_review', 'agreed', 'preparing', 'testing', 'active'] as const;
/** States beside the way: from where, by which step, taken by whom. */
const ASIDE: Readonly<Record<string, readonly [from: string, step: string, by: 'consumer' | 'provider']>> = {
  needs_changes: ['in_review', 'ask_changes', 'provider'],
  refused: ['in_review', 'refuse', 'provider'],
  withdrawn: ['submitted', 'withdraw', 'consumer'],
  suspended: ['active', 'suspend', 'provider'],
  terminated: ['active', 'terminate', 'consumer'],
};

type Way = readonly (typeof WAY)[number][];

/** What lies between a state and the one that is wanted; null when no way leads there. */
export function statesBetween(now: string | null, wanted: string): readonly string[] | null {
  if (now === wanted) return [];
  const [last] = ASIDE[wanted] ?? [wanted];
  const end = (WAY as readonly string[]).indexOf(last);
  const start = now === null ? -1 : (WAY as readonly string[]).indexOf(now);
  if (now !== null && start < 0) return null;
  if (start > end) return null;
  const way: Way = WAY.slice(start + 1, end + 1);
  return wanted === last ? way : [...way, wanted];
}

/** A request that has ended, or is past what was wanted, is history: files do not bring it back. */
const ENDED = ['expired', 'terminated', 'refused', 'withdrawn'];

function contentOf(wanted: TreeSharingRequest): object {
  const { purpose, legalBasis, operations, fields, perDay, perMinute, from, until, afterUse } = wanted;
  const content = { purpose, legalBasis, operations, fields, perDay, perMinute, from, until, afterUse };
  return Object.fromEntries(Object.entries(content).filter(([, value]) => value !== undefined));
}

/** One run of one request towards the state that its file wants. */
class Walk {
  readonly #session: Session;
  readonly #wanted: TreeSharingRequest;
  #id: string | null;

  constructor(session: Session, wanted: TreeSharingRequest, id: string | null) {
    this.#session = session;
    this.#wanted = wanted;
    this.#id = id;
  }

  stepTo(state: string): Step {
    return { name: state, run: () => this.#go(state) };
  }

  async #go(state: string): Promise<unknown> {
    const { by, documents, agreement, reason, refusalBasis } = this.#wanted;
    switch (state) {
      case 'draft':
        await this.#draft();
        return undefined;
      case 'submitted':
        return await this.#step(by.consumer, 'submit', { document: documents.consumer });
      case 'in_review':
        return await this.#step(by.provider, 'take', {});
      case 'agreed':
        return await this.#step(by.provider, 'agree', { document: documents.provider, agreement });
      case 'preparing':
        return await this.#session.decide(this.#what, `${this.#path}/steps`, {
          step: 'approve',
          ...(documents.manager === undefined ? {} : { document: documents.manager }),
        });
      case 'testing':
        return await this.#prepare();
      case 'active':
        await this.#activate();
        return undefined;
      default: {
        const [, step, side] = ASIDE[state] ?? ['', state, 'consumer' as const];
        const document = side === 'consumer' ? documents.consumer : documents.provider;
        const legalBasis = step === 'refuse' ? refusalBasis : undefined;
        return await this.#step(by[side], step, { reason, document, legalBasis });
      }
    }
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

  async #step(client: string, step: string, more: object): Promise<unknown> {
    const body = Object.fromEntries(
      Object.entries({ step, ...more }).filter(([, value]) => value !== undefined),
    );
    return await this.#session.sendAs(client, `${this.#what}: ${step}`, 'POST', `${this.#path}/steps`, body);
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
    return await this.#step(by.provider, 'begin_testing', {});
  }

  async #activate(): Promise<void> {
    const { service, system, tryCalls, by } = this.#wanted;
    for (const path of tryCalls) await this.#session.tryOut(system, `/sandbox/${service}${path}`);
    await this.#session.sendAs(by.provider, `${this.#what}: test`, 'POST', `${this.#path}/tests`);
    const { grant } = (await this.#step(by.provider, 'activate', {})) as { grant: string };
    const { quota } = this.#wanted;
    if (quota !== undefined)
      await this.#session.sendAs(by.consumer, `grant ${grant}`, 'PUT', `/grants/${grant}/quota`, quota);
  }
}

async function findRequest(session: Session, wanted: TreeSharingRequest): Promise<Found | null> {
  const path = `/sharing-requests?service=${encodeURIComponent(wanted.service)}&limit=500`;
  // A draft is its maker's alone to see.
  const page = (await session.findAs(wanted.by.consumer, path)) as Page<Found> | null;
  const mine = (page?.items ?? []).filter(
    ({ system, purpose, amends }) =>
      system === wanted.system && amends === null && same(purpose, wanted.purpose),
  );
  return mine.at(-1) ?? null;
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
  await session.carryOut(
    'sharing_request',
    key,
    found === null,
    between.map((state) => walk.stepTo(state)),
  );
}
