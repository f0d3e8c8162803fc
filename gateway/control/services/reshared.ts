import type { Knex } from 'knex';
import type { Manifest } from '../../catalogue/manifest.js';
import {
  findRevision,
  insertRevision,
  type RevisionRow,
  type ServiceRow,
  updateService,
} from '../../store/services.js';
import type { TakeOffList } from '../change.js';
import { notFound } from '../refusals.js';
import { revisionDigest } from './digest.js';

type Content = Pick<RevisionRow, 'service_id' | 'manifest' | 'declared' | 'document' | 'sha256'>;

/** The same content, shared in another form: nothing else of it changes. */
export function sharedAs(
  { service_id, manifest, declared, document }: RevisionRow,
  sharing: Manifest['sharing'],
): Content {
  const shared = (text: string) => ({ ...(JSON.parse(text) as Manifest), sharing });
  const own = shared(declared ?? manifest);
  return {
    service_id,
    manifest: JSON.stringify(shared(manifest)),
    declared: declared == null ? null : JSON.stringify(own),
    document,
    sha256: revisionDigest(own, document),
  };
}

/**
 * What a review decided: the content in force goes on, by special request only. It is a revision of its own, so that
 * whoever publishes the next one sees that the list was left.
 */
export const takeOffList: TakeOffList = async (trx: Knex, row: ServiceRow, actor: string, at: number) => {
  const inForce = await findRevision(trx, row.id, row.published_revision ?? 0);
  if (inForce === undefined) throw notFound();
  const revision = row.latest_revision + 1;
  const made = { created_by: actor, created_at: at, published_at: at };
  await insertRevision(trx, { ...sharedAs(inForce, 'special'), revision, ...made });
  const patch = { sharing: 'special', latest_revision: revision, published_revision: revision } as const;
  await updateService(trx, row.id, { ...patch, updated_at: at });
  return { ...row, ...patch, updated_at: at };
};
