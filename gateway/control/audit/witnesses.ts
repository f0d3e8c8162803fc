import { findEvidence, listWitnesses, type WitnessRow } from '../../store/witnesses.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { notFound } from '../refusals.js';

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

function view({ name, kind, size, at, failing_since, last_error }: WitnessRow) {
  return { name, kind, size, at: iso(at), failingSince: iso(failing_since), error: last_error };
}

export async function list({ database }: ControlContext): Promise<ControlResult> {
  return { status: 200, body: { items: (await listWitnesses(database.knex)).map(view) } };
}

export async function evidence(
  { database }: ControlContext,
  { path, query }: ControlCall,
): Promise<ControlResult> {
  const asked = query as { readonly size?: number };
  const found = await findEvidence(database.knex, path['name'] ?? '', asked.size);
  if (found === undefined) throw notFound();
  const { form, content, size } = found;
  const [type, body] =
    form === 'base64'
      ? ['application/timestamp-reply', Buffer.from(content, 'base64')]
      : ['text/plain; charset=utf-8', content];
  return { status: 200, body, headers: { 'content-type': type, 'lgsp-tree-size': String(size) } };
}
