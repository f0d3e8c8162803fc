import type { Knex } from 'knex';
import { Problem } from '../../base/problem.js';
import { compareManifestTexts } from '../../catalogue/comparison/manifests.js';
import type { Manifest } from '../../catalogue/manifest.js';
import {
  findRevision,
  makersOf,
  markPublished,
  type RevisionRow,
  serviceCredentials,
  type ServiceRow,
  updateService,
} from '../../store/services.js';
import { actorOf } from '../actor.js';
import type { ControlCall, ControlContext } from '../handler.js';
import { ownDecision } from '../refusals.js';
import { nextState } from './rules.js';
import { resumedNews, tellConsumers, termsNews } from './telling.js';
import { manifestColumns } from './writing.js';

/** The rules may have grown stricter since the revision was saved, so it is checked once more. */
export async function assertStillSound(
  context: ControlContext,
  revision: Pick<RevisionRow, 'service_id' | 'declared' | 'manifest' | 'document'>,
): Promise<Manifest> {
  const stored = await serviceCredentials(context.database.knex, revision.service_id);
  const names = stored.map(({ name }) => name);
  const { ok, faults, manifest } = await context.checkService(
    JSON.parse(revision.declared ?? revision.manifest) as unknown,
    revision.document,
    names,
  );
  if (!ok) throw new Problem('contract_invalid', { errors: faults });
  return manifest as Manifest;
}

/**
 * Four eyes: whoever made any part of what comes into force does not put it there as well. That is everybody who saved
 * a revision since the one in force: a trivial one on top does not make the work below it another's. A binding lives
 * in a revision too.
 */
export async function assertAnothersWork(
  { fourEyes }: Pick<ControlContext, 'fourEyes'>,
  knex: Knex,
  { published_revision: inForce }: Pick<ServiceRow, 'published_revision'>,
  { revision: asked, caller }: { revision: RevisionRow; caller: ControlCall['caller'] },
): Promise<void> {
  if (fourEyes === false) return;
  const range = { after: Math.min(inForce ?? 0, asked.revision - 1), to: asked.revision };
  const makers = await makersOf(knex, asked.service_id, range);
  if (!makers.has(actorOf(caller))) return;
  throw ownDecision(
    'Người soạn bản sửa đổi, hoặc một bản sửa đổi trước đó chưa công bố, không được tự công bố; hãy đề nghị người quản lý khác.',
    'Whoever made a revision, or an unpublished one before it, does not publish it; ask another manager.',
  );
}

interface InForce {
  readonly revision: RevisionRow;
  readonly manifest: Manifest;
  readonly at: number;
}

/** Who calls is told of terms that are others now, and that calls are taken again. */
async function tellOfChange(
  { config }: Pick<ControlContext, 'config'>,
  trx: Knex.Transaction,
  row: ServiceRow,
  { revision, at }: InForce,
): Promise<void> {
  if (row.published_revision === null) return;
  const before = await findRevision(trx, row.id, row.published_revision);
  if (before === undefined) return;
  const terms = compareManifestTexts(before.manifest, revision.manifest, config.limits);
  if (terms.length > 0) await tellConsumers(trx, row, termsNews(row, terms), at);
  if (row.state === 'suspended') await tellConsumers(trx, row, resumedNews(row), at);
}

/** Puts one revision in force. @returns what it changed in the service's row */
export async function putInForce(
  context: Pick<ControlContext, 'config'>,
  trx: Knex.Transaction,
  row: ServiceRow,
  inForce: InForce,
): Promise<Partial<ServiceRow>> {
  const { revision, manifest, at } = inForce;
  const state = nextState(row, 'publish', at);
  const change: Partial<ServiceRow> = {
    ...manifestColumns(manifest),
    state,
    state_since: row.state === state ? row.state_since : at,
    state_reason: null,
    state_by: 'manager',
    published_revision: revision.revision,
    updated_at: at,
  };
  await tellOfChange(context, trx, row, inForce);
  await updateService(trx, row.id, change);
  if (revision.published_at === null) await markPublished(trx, row.id, revision.revision, at);
  return change;
}
