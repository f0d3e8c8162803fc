import type { ManagementApi } from './api.js';
import { all, ask, present, read, yaml } from './export-reading.js';
import { clientOf, type ExportedSystem } from './export-systems.js';

interface Document extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly agency: string;
  readonly createdBy: string;
  readonly attachment: { readonly name: string } | null;
}

const FIELDS = ['id', 'number', 'kind', 'issuedOn', 'issuer', 'signatory', 'requestedBy', 'summary'];
const ENTERING = ['manager', 'operator', 'provider', 'consumer'];

/** `documents.yaml` with their attachments. Whose a document is follows from who enters it (`by`). */
export async function documentFiles(
  api: ManagementApi,
  systems: readonly ExportedSystem[],
): Promise<Record<string, string | Buffer>> {
  const documents = await all<Document>(api, '/documents');
  if (documents.length === 0) return {};
  const own = (await read<{ agency: { code: string } }>(api, '/me')).agency.code;
  const files: Record<string, string | Buffer> = {};
  const entries: object[] = [];
  for (const document of documents) {
    const { id, attachment, agency, createdBy } = document;
    const by = agency === own ? null : clientOf(systems, agency, ENTERING, createdBy);
    const file = attachment === null ? null : `${id}-${attachment.name}`;
    const { bytes } = file === null ? {} : await ask(api, `/documents/${id}/attachment`);
    if (file !== null && bytes !== undefined) files[`documents/${file}`] = bytes;
    const fields = Object.fromEntries(FIELDS.map((name) => [name, document[name]]));
    entries.push(present({ ...fields, file, by }));
  }
  return { 'documents.yaml': yaml(entries), ...files };
}
