import type { TreeDocument, TreeService } from '../tree.js';
import type { TreeSystem } from '../tree-systems.js';
import type { Tree } from '../tree.js';
import { applyDocument } from './documents.js';
import { applyService } from './services.js';
import type { Session } from './session.js';
import { applySystem } from './systems.js';

type Part = Pick<Partial<Tree>, 'documents' | 'systems' | 'services' | 'subscriptions' | 'sharingRequests'>;

/**
 * Systems and the documents that they enter, each before what needs it: a document that another system enters, and
 * on which an account rests, waits for that system, and the account for the document.
 */
export class Entering {
  readonly #session: Session;
  readonly #documents: readonly TreeDocument[];
  readonly #systems: readonly TreeSystem[];
  readonly #begun = new Set<TreeDocument | TreeSystem>();
  readonly #later = new Map<string, TreeSystem>();
  readonly #shared: ReadonlySet<string>;

  constructor(session: Session, { documents = [], systems = [], ...tree }: Part) {
    this.#session = session;
    this.#documents = documents;
    this.#systems = systems;
    const sharing = [...(tree.subscriptions ?? []), ...(tree.sharingRequests ?? [])];
    this.#shared = new Set(sharing.flatMap(({ system, by }) => [system, ...clientsOf(by)]));
  }

  /** What the platform itself enters; everything may rest on it. */
  async ownDocuments(): Promise<void> {
    for (const document of this.#documents)
      if (document.by === undefined) await applyDocument(this.#session, document);
  }

  async systems(): Promise<void> {
    for (const system of this.#systems) await this.#system(system);
  }

  /** The documents of others, whose systems are there by now. */
  async otherDocuments(): Promise<void> {
    for (const document of this.#documents) await this.#document(document);
  }

  /** What an account rests on, whoever enters it. */
  async ground(id: string | undefined): Promise<void> {
    const document = this.#documents.find((one) => one.id === id);
    if (document !== undefined) await this.#document(document);
  }

  async #document(document: TreeDocument): Promise<void> {
    if (document.by === undefined || this.#begun.has(document)) return;
    const { by, ...entered } = document;
    const maker = this.#systems.find(({ id }) => id === by);
    // Its maker's own account rests on it: then it cannot wait for the maker, and the platform enters it.
    const circular = maker !== undefined && this.#begun.has(maker) && !(await this.#isThere(maker));
    this.#begun.add(document);
    if (maker !== undefined && !circular) await this.#system(maker);
    await applyDocument(this.#session, circular ? entered : document);
  }

  async #system(system: TreeSystem): Promise<void> {
    if (this.#begun.has(system)) return;
    this.#begun.add(system);
    await this.ground(system.document);
    const waits = system.state !== 'active' && this.#takesPart(system) && !(await this.#isThere(system));
    if (waits) this.#later.set(system.id, system);
    await applySystem(this.#session, waits ? { ...system, state: 'active' } : system);
  }

  /** Whether what it is registered for comes before it is locked or revoked. */
  #takesPart({ id }: TreeSystem): boolean {
    if (this.#session.options.dryRun === true) return false;
    return this.#shared.has(id) || this.#documents.some(({ by }) => by === id);
  }

  async #isThere({ id }: TreeSystem): Promise<boolean> {
    return (await this.#session.find(`/systems/${encodeURIComponent(id)}`)) !== null;
  }

  /** Locks and revokes what had to act before. */
  async close(): Promise<void> {
    for (const system of this.#later.values()) await applySystem(this.#session, system);
  }
}

function clientsOf(
  by: string | { readonly consumer: string; readonly provider?: string | undefined },
): string[] {
  if (typeof by === 'string') return [by];
  return [by.consumer, ...(by.provider === undefined ? [] : [by.provider])];
}

/**
 * Services; one that is shared and is to be suspended or retired is published first, for what is not in force is
 * shared with nobody.
 *
 * @returns those whose state waits until it has been shared
 */
export async function enterServices(session: Session, tree: Part): Promise<readonly TreeService[]> {
  const shared = new Set(
    [...(tree.subscriptions ?? []), ...(tree.sharingRequests ?? [])].map(({ service }) => service),
  );
  const later: TreeService[] = [];
  for (const service of tree.services ?? []) {
    const { provider, slug, version } = service.manifest;
    const id = `${String(provider)}/${String(slug)}/v${String(version).split('.', 1)[0] ?? ''}`;
    const ends = service.state === 'suspended' || service.state === 'retired';
    const waits =
      ends &&
      shared.has(id) &&
      session.options.dryRun !== true &&
      (await session.find(`/services/${id}`)) === null;
    if (waits) later.push(service);
    const { ending: _ending, ...now } = service;
    await applyService(session, waits ? { ...now, state: 'published' } : service);
  }
  return later;
}
