import type { Knex } from 'knex';
import type { ChangeRequestRow } from '../../store/change-requests.js';
import {
  findRevision,
  findService,
  insertRevision,
  type RevisionRow,
  type ServiceRow,
  updateService,
} from '../../store/services.js';
import type { ChangeEffect, ChangeExecutor, ChangeExecutors, Comparison } from '../change.js';
import type { ControlContext } from '../handler.js';
import { conflict, notFound, wrongTransition } from '../refusals.js';
import { assertCompatible } from './gate.js';
import { assertAnothersWork, assertStillSound, putInForce } from './publication.js';
import { assertUnchanged, nextState, stateAt } from './rules.js';
import { sharedAs } from './reshared.js';
import { serviceView } from './views.js';

/** What was pinned down when the change was asked for. */
interface Pinned {
  /** publish: what shall be in force · promote: whose content shall. */
  readonly revision: number;
  readonly sha256: string;
  /** What was in force then. */
  readonly from: number | null;
  /** The newest revision then. */
  readonly latest: number;
}

const pinnedOf = ({ payload }: ChangeRequestRow): Pinned => JSON.parse(payload) as Pinned;

async function mustHave(knex: Knex, id: string): Promise<ServiceRow> {
  const row = await findService(knex, id);
  if (row === undefined) throw notFound();
  return row;
}

async function mustHaveRevision(knex: Knex, id: string, revision: number): Promise<RevisionRow> {
  const found = await findRevision(knex, id, revision);
  if (found === undefined) throw notFound();
  return found;
}

/** Exactly what was asked for, and seen by whoever approves, or nothing. */
function assertAsPinned(row: ServiceRow, pinned: Pinned): void {
  assertUnchanged(row, pinned.latest);
  if (row.published_revision === pinned.from) return;
  throw conflict(
    'Từ khi lập yêu cầu, bản đang có hiệu lực đã thay đổi; hãy lập yêu cầu mới.',
    'What is in force has changed since this was asked for; ask anew.',
    { kind: 'service', id: row.id, state: row.state, revision: row.published_revision ?? 0 },
  );
}

function assertNotInForce(row: ServiceRow, revision: number): void {
  if (row.state !== 'published' || row.published_revision !== revision) return;
  throw conflict(`Bản sửa đổi ${revision} đang có hiệu lực.`, `Revision ${revision} is in force already.`, {
    kind: 'service',
    id: row.id,
    state: row.state,
    revision,
  });
}

function effectOf(before: ServiceRow, patch: Partial<ServiceRow>): ChangeEffect {
  const after = { ...before, ...patch };
  return { state: 'done', before: serviceView(before, true), after: serviceView(after, true) };
}

function publishing(context: ControlContext): ChangeExecutor {
  const { knex } = context.database;
  return {
    async pin(trx, service, { revision = service.latest_revision }) {
      nextState(service, 'publish', context.clock.now());
      assertUnchanged(service, revision);
      assertNotInForce(service, revision);
      const asked = await mustHaveRevision(trx, service.id, revision);
      await assertCompatible(trx, context, service, asked);
      const { sha256 } = asked;
      return { revision, sha256, from: service.published_revision, latest: service.latest_revision };
    },
    async prepare(request, approver) {
      const pinned = pinnedOf(request);
      const current = await mustHave(knex, request.subject_key);
      assertAsPinned(current, pinned);
      const revision = await mustHaveRevision(knex, request.subject_key, pinned.revision);
      await assertAnothersWork(context, knex, current, { revision, caller: approver });
      await assertCompatible(knex, context, current, revision);
      const manifest = await assertStillSound(context, revision);
      return async (trx, at) => {
        const row = await mustHave(trx, request.subject_key);
        assertAsPinned(row, pinned);
        assertNotInForce(row, pinned.revision);
        return effectOf(row, await putInForce(context, trx, row, { revision, manifest, at }));
      };
    },
    compare: async (db, request) => {
      const { revision, from } = pinnedOf(request);
      return await compared(
        db,
        request.subject_key,
        from,
        await mustHaveRevision(db, request.subject_key, revision),
      );
    },
  };
}

async function compared(
  knex: Knex,
  id: string,
  from: number | null,
  proposed: Pick<RevisionRow, 'manifest' | 'document'>,
): Promise<Comparison> {
  const old = from === null ? undefined : await findRevision(knex, id, from);
  return {
    before: old === undefined ? null : (JSON.parse(old.manifest) as unknown),
    after: JSON.parse(proposed.manifest) as unknown,
    documentChanged: old?.document !== proposed.document,
  };
}

function assertPromotable(row: ServiceRow, now: number): void {
  const { id, sharing } = row;
  const { state, since } = stateAt(row, now);
  if (state !== 'published') throw wrongTransition('service', { id, state, since }, 'promote');
  if (sharing === 'special') return;
  throw conflict('Dịch vụ đã được chia sẻ mặc định.', 'The service is shared by default already.', {
    kind: 'service',
    id,
    state: sharing,
  });
}

function promotion(context: ControlContext): ChangeExecutor {
  const { knex } = context.database;
  return {
    async pin(trx, service) {
      assertPromotable(service, context.clock.now());
      const from = service.published_revision ?? 0;
      const { sha256 } = await mustHaveRevision(trx, service.id, from);
      return { revision: from, sha256, from, latest: service.latest_revision };
    },
    async prepare(request) {
      const pinned = pinnedOf(request);
      const content = sharedAs(await mustHaveRevision(knex, request.subject_key, pinned.revision), 'default');
      const manifest = await assertStillSound(context, content);
      return async (trx, at) => {
        const row = await mustHave(trx, request.subject_key);
        assertPromotable(row, at);
        assertAsPinned(row, pinned);
        const revision = row.latest_revision + 1;
        const made = { created_by: request.made_by, created_at: at, published_at: null };
        const inserted = { ...content, revision, ...made };
        await insertRevision(trx, inserted);
        await updateService(trx, row.id, { latest_revision: revision });
        const patch = await putInForce(context, trx, row, { revision: inserted, manifest, at });
        return effectOf(row, { ...patch, latest_revision: revision });
      };
    },
    compare: async (db, request) => {
      const { revision } = pinnedOf(request);
      const current = await mustHaveRevision(db, request.subject_key, revision);
      return await compared(db, request.subject_key, revision, sharedAs(current, 'default'));
    },
  };
}

/** What an approval does to a service; the short way of a manager, `publish`, shares its parts. */
export function serviceExecutors(context: ControlContext): ChangeExecutors {
  return { 'service.publish': publishing(context), 'service.promote': promotion(context) };
}
