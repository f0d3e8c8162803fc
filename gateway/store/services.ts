import type { Knex } from 'knex';
import { fold } from '../base/fold.js';
import type { Database } from './database.js';
import { type Page, type PageAsk, pageOf, searchFor } from './page.js';

export type ServiceState = 'draft' | 'published' | 'suspended' | 'retired';

export interface ServiceRow {
  /** `{provider}/{slug}/v{major}` */
  id: string;
  provider: string;
  slug: string;
  major: number;
  title: string;
  sharing: 'default' | 'special';
  classification: 'open' | 'internal' | 'restricted';
  state: ServiceState;
  state_since: number;
  state_reason: string | null;
  /** In which role the state was last changed. */
  state_by?: 'manager' | 'provider' | null;
  published_revision: number | null;
  latest_revision: number;
  /** Since when callers are told that it ends; null where it does not. Milliseconds since the epoch. */
  deprecated_at?: number | null;
  /** The last calendar day on which it is there, and the moment after it. */
  sunset_on?: string | null;
  sunset_at?: number | null;
  /** Id of the service to change over to. */
  successor?: string | null;
  deprecation_reason?: string | null;
  created_at: number;
  updated_at: number;
}

export interface RevisionRow {
  service_id: string;
  revision: number;
  /** JSON of the manifest, with every binding. */
  manifest: string;
  /** The same without the bindings that stand in the document; null where there are none. */
  declared?: string | null;
  /** The OpenAPI document as it was handed in. */
  document: string;
  /** Hexadecimal SHA-256 over manifest and document. */
  sha256: string;
  created_by: string;
  created_at: number;
  published_at: number | null;
}

/** A revision without its content. */
export type RevisionFacts = Omit<RevisionRow, 'manifest' | 'declared' | 'document'>;

export interface ServiceCredentialRow {
  service_id: string;
  name: string;
  sealed: string;
  updated_at: number;
}

/** A service in a state that callers can meet, with the revision that is in force. */
export type PublishedRow = ServiceRow & Pick<RevisionRow, 'revision' | 'manifest' | 'document'>;

export interface ServiceFilter {
  readonly q?: string | undefined;
  readonly provider?: string | undefined;
  readonly state?: ServiceState | undefined;
  readonly sharing?: ServiceRow['sharing'] | undefined;
  /** Whose drafts may be seen: everybody's, or those of one agency. */
  readonly draftsOf: 'all' | { readonly agency: string | null };
}

export async function findService(knex: Knex, id: string): Promise<ServiceRow | undefined> {
  return await knex<ServiceRow>('services').where({ id }).first();
}

export async function listServices(knex: Knex): Promise<ServiceRow[]> {
  return await knex<ServiceRow>('services').orderBy('id');
}

/** One page, by id. */
export async function pageServices(
  database: Database,
  filter: ServiceFilter,
  ask: PageAsk,
): Promise<Page<ServiceRow>> {
  const query = database.knex('services').select();
  const { draftsOf } = filter;
  if (filter.q !== undefined) searchFor(query, filter.q, ['id']);
  if (filter.provider !== undefined) void query.where({ provider: filter.provider });
  if (filter.state !== undefined) void query.where({ state: filter.state });
  if (filter.sharing !== undefined) void query.where({ sharing: filter.sharing });
  if (draftsOf !== 'all')
    void query.where((seen) => {
      void seen.whereNotNull('published_revision');
      if (draftsOf.agency !== null) void seen.orWhere({ provider: draftsOf.agency });
    });
  return await pageOf<ServiceRow>(query, 'id', ask, database.engine);
}

export async function insertService(knex: Knex, row: ServiceRow): Promise<void> {
  await knex('services').insert({ ...row, search: fold(row.title) });
}

export async function updateService(knex: Knex, id: string, patch: Partial<ServiceRow>): Promise<void> {
  const search = patch.title === undefined ? {} : { search: fold(patch.title) };
  await knex('services')
    .where({ id })
    .update({ ...patch, ...search });
}

export async function findRevision(
  knex: Knex,
  id: string,
  revision: number,
): Promise<RevisionRow | undefined> {
  return await knex<RevisionRow>('service_revisions').where({ service_id: id, revision }).first();
}

/** One page, newest first. */
export async function pageRevisions(
  knex: Knex,
  id: string,
  ask: { readonly limit: number; readonly before?: number },
): Promise<RevisionFacts[]> {
  const query = knex<RevisionRow>('service_revisions')
    .select('service_id', 'revision', 'sha256', 'created_by', 'created_at', 'published_at')
    .where({ service_id: id })
    .orderBy('revision', 'desc')
    .limit(ask.limit);
  return await (ask.before === undefined ? query : query.where('revision', '<', ask.before));
}

export async function insertRevision(knex: Knex, row: RevisionRow): Promise<void> {
  await knex<RevisionRow>('service_revisions').insert(row);
}

/** Who saved any of the revisions after one, up to another. */
export async function makersOf(
  knex: Knex,
  id: string,
  { after, to }: { readonly after: number; readonly to: number },
): Promise<ReadonlySet<string>> {
  const rows = await knex<RevisionRow>('service_revisions')
    .where({ service_id: id })
    .where('revision', '>', after)
    .where('revision', '<=', to)
    .distinct('created_by');
  return new Set(rows.map(({ created_by }) => created_by));
}

export async function markPublished(knex: Knex, id: string, revision: number, at: number): Promise<void> {
  await knex<RevisionRow>('service_revisions')
    .where({ service_id: id, revision })
    .update({ published_at: at });
}

/** Services that have a published revision: all of them, or one. */
export async function publishedServices(knex: Knex, id?: string): Promise<PublishedRow[]> {
  const query = knex('services as s')
    .join('service_revisions as r', (on) =>
      on.on('r.service_id', 's.id').andOn('r.revision', 's.published_revision'),
    )
    .select('s.*', 'r.revision', 'r.manifest', 'r.document');
  return (await (id === undefined ? query : query.where('s.id', id))) as PublishedRow[];
}

export async function serviceCredentials(knex: Knex, id: string): Promise<ServiceCredentialRow[]> {
  return await knex<ServiceCredentialRow>('service_credentials').where({ service_id: id });
}

export async function saveServiceCredential(knex: Knex, row: ServiceCredentialRow): Promise<void> {
  await knex<ServiceCredentialRow>('service_credentials')
    .insert(row)
    .onConflict(['service_id', 'name'])
    .merge();
}

/** Services whose last day is over and that are not retired yet. */
export async function sunkServices(knex: Knex, now: number): Promise<ServiceRow[]> {
  return await knex<ServiceRow>('services')
    .where('sunset_at', '<=', now)
    .whereIn('state', ['published', 'suspended'])
    .orderBy('id');
}
