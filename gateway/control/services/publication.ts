import type { Knex } from 'knex';
import { Problem } from '../../base/problem.js';
import type { Manifest } from '../../catalogue/manifest.js';
import {
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

/** Four eyes: whoever wrote a revision does not put it in force as well. A binding lives in a revision too. */
export function assertAnothersWork(
  { fourEyes }: Pick<ControlContext, 'fourEyes'>,
  revision: Pick<RevisionRow, 'created_by'>,
  caller: ControlCall['caller'],
): void {
  if (fourEyes === false || revision.created_by !== actorOf(caller)) return;
  throw ownDecision(
    'Người soạn bản sửa đổi không được tự công bố; hãy đề nghị người quản lý khác.',
    'Whoever made a revision does not publish it; ask another manager.',
  );
}

/** Puts one revision in force. @returns what it changed in the service's row */
export async function putInForce(
  trx: Knex.Transaction,
  row: ServiceRow,
  revision: Pick<RevisionRow, 'revision' | 'published_at'>,
  { manifest, at }: { manifest: Manifest; at: number },
): Promise<Partial<ServiceRow>> {
  const state = nextState(row, 'publish');
  const change: Partial<ServiceRow> = {
    ...manifestColumns(manifest),
    state,
    state_since: row.state === state ? row.state_since : at,
    state_reason: null,
    state_by: 'manager',
    published_revision: revision.revision,
    updated_at: at,
  };
  await updateService(trx, row.id, change);
  if (revision.published_at === null) await markPublished(trx, row.id, revision.revision, at);
  return change;
}
