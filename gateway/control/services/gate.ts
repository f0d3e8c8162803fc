import type { Knex } from 'knex';
import { Problem } from '../../base/problem.js';
import { compareDocumentTexts } from '../../catalogue/comparison/compare.js';
import type { ContractChange } from '../../catalogue/comparison/findings.js';
import { compareManifestTexts } from '../../catalogue/comparison/manifests.js';
import type { Manifest } from '../../catalogue/manifest.js';
import type { OperationUse } from '../../store/service-use.js';
import { findRevision, type RevisionRow, type ServiceRow } from '../../store/services.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { conflict, notFound } from '../refusals.js';
import { recentUse } from './consumers.js';
import { idOf } from './reading.js';
import { mustReach, SEE_MANIFESTS } from './rules.js';

/** So many changes are named in one answer. */
const MOST_NAMED = 200;

/** A change, with those who would notice it, by what they really called. */
export interface WeighedChange extends ContractChange {
  readonly affected: readonly OperationUse[];
}

/** Whether a field that left contains the changed one, or lies below it. */
function touches(fields: readonly string[] | null, changed: string): boolean {
  if (fields === null) return true;
  const within = (part: string, whole: string): boolean => part === whole || part.startsWith(`${whole}/`);
  return fields.some((field) => within(field, changed) || within(changed, field));
}

/** Whether a use is of what was changed; a change of no single operation is one of all. */
function meets({ operation, field }: ContractChange, use: OperationUse): boolean {
  if (operation !== null && use.operation !== operation) return false;
  return field === null || field === '' || touches(use.fields, field);
}

function weigh(change: ContractChange, use: readonly OperationUse[]): WeighedChange {
  return { ...change, affected: change.breaking ? use.filter((one) => meets(change, one)) : [] };
}

type Content = Pick<RevisionRow, 'manifest' | 'document'>;

/** Both were checked when they were saved; what cannot be read any more may have promised anything, and breaks. */
export function changesBetween(
  { limits }: ControlContext['config'],
  before: Content,
  after: Content,
): readonly ContractChange[] {
  const documents =
    before.document === after.document ? [] : compareDocumentTexts(before.document, after.document);
  return [...compareManifestTexts(before.manifest, after.manifest, limits), ...documents];
}

async function weighedChanges(
  knex: Knex,
  { clock, config }: Parts,
  service: string,
  [before, after]: readonly [Content, Content],
): Promise<readonly WeighedChange[]> {
  const changes = changesBetween(config, before, after);
  if (!changes.some(({ breaking }) => breaking)) return changes.map((change) => weigh(change, []));
  const use = await recentUse(knex, service, clock.now());
  return changes.map((change) => weigh(change, use));
}

type Parts = Pick<ControlContext, 'clock' | 'config'>;

const systemsOf = (changes: readonly WeighedChange[]): string[] =>
  [...new Set(changes.flatMap(({ affected }) => affected.map(({ system }) => system)))].sort();

/**
 * What is shared by special request comes onto the default list by a promotion, which somebody asks for with a reason
 * and another agrees to, and which changes nothing else. A revision does not bring it there by the way.
 */
function assertStaysOffList(
  { id, sharing, published_revision: from }: ServiceRow,
  { revision, manifest }: Pick<RevisionRow, 'revision' | 'manifest'>,
): void {
  if (sharing !== 'special' || (JSON.parse(manifest) as Manifest).sharing !== 'default') return;
  throw conflict(
    `Dịch vụ đang chia sẻ theo yêu cầu đặc thù, còn bản sửa đổi ${revision} ghi chia sẻ mặc định. Hãy lập yêu cầu thay đổi service.promote (POST /change-requests) để người khác duyệt, hoặc ghi sharing: special trong bản khai.`,
    `The service is shared by special request, and revision ${revision} says default. Ask for its promotion (POST /change-requests, service.promote), which another approves, or write sharing: special in the manifest.`,
    { kind: 'service', id, state: sharing, from: from ?? 0, revision },
  );
}

/**
 * The gate of a new revision: within one major version nothing that callers rely on is taken away, whether or not
 * anybody used it lately. Who did is named, so that the provider knows whom to speak to. Nor does it become one of
 * the default list.
 *
 * @throws Problem `breaking_change`, or `conflict` where it would come onto the default list
 */
export async function assertCompatible(
  knex: Knex,
  parts: Parts,
  row: ServiceRow,
  revision: Pick<RevisionRow, 'revision'> & Content,
): Promise<void> {
  if (row.published_revision === null || row.published_revision === revision.revision) return;
  assertStaysOffList(row, revision);
  const published = await findRevision(knex, row.id, row.published_revision);
  if (published === undefined) throw notFound();
  const changes = await weighedChanges(knex, parts, row.id, [published, revision]);
  const breaking = changes.filter((change) => change.breaking);
  if (breaking.length === 0) return;
  const affected = systemsOf(breaking);
  throw new Problem('breaking_change', {
    detail: {
      vi: `${breaking.length} thay đổi làm hỏng bên khai thác; ${affected.length} hệ thống đã dùng phần bị đổi trong 90 ngày qua. Hãy công bố thành phiên bản lớn mới (v${row.major + 1}).`,
      en: `${breaking.length} changes break callers; ${affected.length} systems used what is changed in the last 90 days. Publish them as a new major version (v${row.major + 1}).`,
    },
    rule: { kind: 'service', id: row.id, state: 'breaking', from: published.revision, affected },
    errors: breaking
      .slice(0, MOST_NAMED)
      .map(({ part, pointer, rule, message }) => ({ pointer: `/${part}${pointer}`, keyword: rule, message })),
  });
}

function view({ part, pointer, rule, breaking, operation, field, message, affected }: WeighedChange) {
  return {
    ...{ part, pointer, rule, breaking, operation, field, message },
    affected: affected.map(({ system, agency, calls, lastAt }) => ({
      ...{ system, agency, calls },
      lastAt: new Date(lastAt).toISOString(),
    })),
  };
}

async function revisionOf(knex: Knex, id: string, revision: number): Promise<RevisionRow> {
  const found = await findRevision(knex, id, revision);
  if (found === undefined) throw notFound();
  return found;
}

/** What publishing a revision would change for callers; nothing is changed by asking. */
export async function comparison(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { knex } = context.database;
  const row = await mustReach(knex, idOf(call), call.caller, SEE_MANIFESTS);
  const { from, to } = call.query as { from?: number; to?: number };
  const before = await revisionOf(knex, row.id, from ?? row.published_revision ?? row.latest_revision);
  const after = await revisionOf(knex, row.id, to ?? row.latest_revision);
  const changes = await weighedChanges(knex, context, row.id, [before, after]);
  return {
    status: 200,
    body: {
      from: before.revision,
      to: after.revision,
      breaking: changes.some((change) => change.breaking),
      affected: systemsOf(changes),
      changes: changes.map(view),
    },
  };
}
