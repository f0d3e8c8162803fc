import type { Knex } from 'knex';
import { majorOf, type Manifest } from '../../catalogue/manifest.js';
import { changing } from '../../store/changes.js';
import {
  findRevision,
  findService,
  insertRevision,
  insertService,
  type RevisionRow,
  saveServiceCredential,
  serviceCredentials,
  type ServiceRow,
  updateService,
} from '../../store/services.js';
import { isUniqueViolation } from '../../store/unique.js';
import { actorOf } from '../actor.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { conflict } from '../refusals.js';
import { type CheckedContent, checkedContent, documentText, type SentContent } from './content.js';
import { emergencyAccess, noteUse } from './emergency.js';
import { idOf } from './reading.js';
import { assertProviderExists, assertProvides, assertSameService, mustReach, nextState } from './rules.js';
import { tellOfCredentials } from './telling.js';
import { serviceView } from './views.js';

const WRITE_ALL = ['operator'] as const;
const CHECK_ALL = ['manager', 'operator'] as const;

/** The columns that repeat what the manifest says, for lists and searches. */
export function manifestColumns(
  manifest: Manifest,
): Pick<ServiceRow, 'title' | 'sharing' | 'classification'> {
  const { title, sharing, classification } = manifest;
  return { title: title.normalize('NFC'), sharing, classification };
}

function newService({ id, manifest }: CheckedContent, now: number): ServiceRow {
  return {
    id,
    provider: manifest.provider,
    slug: manifest.slug,
    major: majorOf(manifest.version),
    ...manifestColumns(manifest),
    state: 'draft',
    state_since: now,
    state_reason: null,
    published_revision: null,
    latest_revision: 1,
    created_at: now,
    updated_at: now,
  };
}

function newRevision(content: CheckedContent, revision: number, by: string, now: number): RevisionRow {
  return {
    service_id: content.id,
    revision,
    manifest: JSON.stringify(content.manifest),
    declared: JSON.stringify(content.declared),
    document: content.document,
    sha256: content.sha256,
    created_by: by,
    created_at: now,
    published_at: null,
  };
}

/** Sealed before the transaction begins; what is stored can only be opened for this service and this name. */
function sealed(context: ControlContext, { id, credentials }: CheckedContent): [string, string][] {
  return Object.entries(credentials).map(([name, value]) => [name, context.seal(id, name, value)]);
}

async function saveCredentials(
  trx: Knex.Transaction,
  id: string,
  values: readonly [string, string][],
  now: number,
): Promise<void> {
  for (const [name, text] of values)
    await saveServiceCredential(trx, { service_id: id, name, sealed: text, updated_at: now });
}

const replaced = (values: readonly [string, string][], stored: readonly string[]): string[] =>
  values.map(([name]) => name).filter((name) => stored.includes(name));

/** What the record keeps of a revision: its number and digest, and names in place of credentials. */
const written = (row: ServiceRow, content: CheckedContent) => ({
  ...serviceView(row, true),
  sha256: content.sha256,
  credentialNames: Object.keys(content.credentials).sort(),
});

/** A provider learns nothing of another agency's service, not even by a check that fails. */
function assertClaimed(
  call: ControlCall,
  manifest: Readonly<Record<string, unknown>>,
  all: readonly string[],
): void {
  const { provider } = manifest;
  assertProvides(call.caller, typeof provider === 'string' ? provider : '', all);
}

export async function create(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const sent = call.body as SentContent;
  assertClaimed(call, sent.manifest, WRITE_ALL);
  const content = await checkedContent(context, sent, []);
  const now = clock.now();
  const row = newService(content, now);
  const values = sealed(context, content);
  const taken = () => conflict(`Dịch vụ ${row.id} đã có.`, `The service ${row.id} exists already.`);
  try {
    await changing(database, { noun: 'service', key: row.id, at: now }, async (trx) => {
      if ((await findService(trx, row.id)) !== undefined) throw taken();
      await assertProviderExists(trx, content.manifest);
      await insertService(trx, row);
      await insertRevision(trx, newRevision(content, 1, actorOf(call.caller), now));
      await saveCredentials(trx, row.id, values, now);
    });
  } catch (error) {
    throw isUniqueViolation(error) ? taken() : error;
  }
  await context.refresh();
  return {
    status: 201,
    body: serviceView(row, true, content.sha256),
    act: { noun: 'service', key: row.id, before: null, after: written(row, content) },
  };
}

export async function check(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { knex } = context.database;
  const { credentialNames = [], ...sent } = call.body as SentContent & { credentialNames?: string[] };
  assertClaimed(call, sent.manifest, CHECK_ALL);
  const { provider, slug, version } = sent.manifest;
  const known = [provider, slug, version].every((part) => typeof part === 'string')
    ? await serviceCredentials(knex, `${String(provider)}/${String(slug)}/v${majorOf(String(version))}`)
    : [];
  const names = [...new Set([...known.map(({ name }) => name), ...credentialNames])];
  const {
    ok,
    faults,
    warnings = [],
    operations,
  } = await context.checkService(sent.manifest, documentText(sent.document), names);
  const listed = (operations ?? []).map(({ id, method, template }) => ({ id, method, template }));
  return { status: 200, body: { ok, faults, warnings, operations: listed } };
}

/** What a new revision changes in the service's row; its title and terms change with publication only. */
function draftPatch(row: ServiceRow, content: CheckedContent, now: number): Partial<ServiceRow> {
  const neverPublished = row.published_revision === null ? manifestColumns(content.manifest) : {};
  return { ...neverPublished, latest_revision: row.latest_revision + 1, updated_at: now };
}

export async function saveDraft(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const id = idOf(call);
  const known = await mustReach(database.knex, id, call.caller, WRITE_ALL);
  nextState(known, 'draft', clock.now());
  const stored = (await serviceCredentials(database.knex, id)).map(({ name }) => name);
  const content = await checkedContent(context, call.body as SentContent, stored);
  assertSameService(id, content.id);
  const now = clock.now();
  const values = sealed(context, content);
  const { before, after, same, used } = await changing(
    database,
    { noun: 'service', key: id, at: now },
    async (trx) => {
      const access = await emergencyAccess(trx, id, call.caller, now);
      const row = await mustReach(trx, id, call.caller, WRITE_ALL, access);
      nextState(row, 'draft', now);
      const names = row.published_revision === null ? [] : replaced(values, stored);
      if (names.length > 0) await tellOfCredentials(trx, row, { names, by: actorOf(call.caller), at: now });
      await saveCredentials(trx, id, values, now);
      const used = await noteUse(context, trx, access, { operation: call.operationId, at: now });
      const latest = await findRevision(trx, id, row.latest_revision);
      if (latest?.sha256 === content.sha256) return { before: row, after: row, same: true, used };
      const patch = draftPatch(row, content, now);
      await insertRevision(trx, newRevision(content, row.latest_revision + 1, actorOf(call.caller), now));
      await updateService(trx, id, patch);
      return { before: row, after: { ...row, ...patch }, same: false, used };
    },
  );
  await context.refresh();
  const body = serviceView(after, true, content.sha256);
  if (same && values.length === 0 && used.breakGlass === undefined) return { status: 200, body };
  const change = { before: serviceView(before, true), after: { ...written(after, content), ...used } };
  return { status: 200, body, act: { noun: 'service', key: id, ...change } };
}
