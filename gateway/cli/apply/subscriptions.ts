import { CommandFailure } from '../failure.js';
import type { TreeSubscription } from '../tree-sharing.js';
import type { Session, Step } from './session.js';
import { type GrantNow, stepBy, suspensionSteps, type TakeStep, wantedSuspensions } from './suspensions.js';

interface Page<T> {
  readonly items: readonly T[];
}

const LIVE = ['requested', 'active', 'suspended'];

async function findSubscription(session: Session, wanted: TreeSubscription): Promise<GrantNow | null> {
  const { service, system } = wanted;
  const query = `service=${encodeURIComponent(service)}&system=${encodeURIComponent(system)}`;
  const page = await session.find<Page<GrantNow>>(`/grants?${query}&limit=500`);
  return page?.items.find(({ state }) => LIVE.includes(state)) ?? null;
}

/** One run of one subscription towards the state that its file wants. */
class Subscribing {
  readonly #session: Session;
  readonly #wanted: TreeSubscription;
  readonly #by: { readonly consumer: string; readonly provider?: string | undefined };
  readonly take: TakeStep;
  #now: GrantNow | null;

  constructor(session: Session, wanted: TreeSubscription, now: GrantNow | null) {
    this.#session = session;
    this.#wanted = wanted;
    this.#by = typeof wanted.by === 'string' ? { consumer: wanted.by } : wanted.by;
    this.#now = now;
    this.take = stepBy(session, this.#by, () => ({
      what: this.#what,
      path: `/grants/${this.#now?.id ?? ''}/steps`,
    }));
  }

  get #what(): string {
    return `subscription of ${this.#wanted.system} to ${this.#wanted.service}`;
  }

  async subscribe(): Promise<void> {
    const { service, system, purpose } = this.#wanted;
    const body = { service, system, purpose };
    const { consumer } = this.#by;
    const made = await this.#session.sendAs(consumer, this.#what, 'POST', '/subscriptions', body);
    this.#now = made as GrantNow;
    // What nobody has confirmed yet must not go through because this gateway asks for no confirmation.
    if (this.#wanted.state !== 'requested' || this.#now.state !== 'active') return;
    await this.take('platform', 'suspend', { reason: 'lgsp apply: chưa được xác nhận' });
  }

  async confirm(): Promise<void> {
    if (this.#now?.state !== 'requested') return;
    const { state, reason, document } = this.#wanted;
    // A suspension brings its own reason.
    await this.take('platform', 'confirm', state === 'active' ? { reason, document } : {});
  }
}

function stepsTo(subscribing: Subscribing, wanted: TreeSubscription, now: GrantNow | null): Step[] {
  const { state, reason, document } = wanted;
  const subscribe = { name: 'subscribe', run: () => subscribing.subscribe() };
  const first = now === null ? [subscribe] : [];
  if (state === undefined || state === 'requested') return first;
  const confirm = { name: 'confirm', run: () => subscribing.confirm() };
  const flags = suspensionSteps(subscribing.take, now?.suspended ?? null, wantedSuspensions(wanted), {
    reason,
    document,
  });
  return [...first, ...(now === null || now.state === 'requested' ? [confirm] : []), ...flags];
}

/** A subscription that is there is left alone, but for its state where the file names one. */
export async function applySubscription(session: Session, wanted: TreeSubscription): Promise<void> {
  const now = await findSubscription(session, wanted);
  const key = `${wanted.system} ${wanted.service}`;
  if (now?.sharing === 'special')
    throw new CommandFailure(`subscription ${key}: there is ${now.id}, which a request led to`);
  const subscribing = new Subscribing(session, wanted, now);
  await session.carryOut('subscription', key, now === null, stepsTo(subscribing, wanted, now));
}
