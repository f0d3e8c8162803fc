import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { FileBody } from '../api.js';
import { CommandFailure } from '../failure.js';
import type { TreeDocument } from '../tree.js';
import type { Session, Step } from './session.js';

interface DocumentBody {
  readonly number: string;
  readonly issuedOn: string;
  readonly attachment: { readonly sha256: string } | null;
}

const OFFICE = 'application/vnd.openxmlformats-officedocument';
const TYPES: Readonly<Record<string, string>> = {
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.docx': `${OFFICE}.wordprocessingml.document`,
  '.xlsx': `${OFFICE}.spreadsheetml.sheet`,
  '.odt': 'application/vnd.oasis.opendocument.text',
};

/** By whoever runs this, or in the name of the client whose agency the document belongs to. */
function send(session: Session, { id, by }: TreeDocument, method: string, path: string, body: unknown) {
  const what = `document ${id}`;
  return by === undefined
    ? session.send(what, method, path, body)
    : session.sendAs(by, what, method, path, body);
}

function attach(session: Session, document: TreeDocument): Step[] {
  const { id, attachment } = document;
  if (attachment === null) return [];
  const type = TYPES[extname(attachment.name).toLowerCase()];
  if (type === undefined)
    throw new CommandFailure(`documents/${attachment.name}: not a kind of file that can be attached`);
  // Export puts the id before the name, so that files of one name do not meet; it is not part of the name.
  const name = attachment.name.startsWith(`${id}-`) ? attachment.name.slice(id.length + 1) : attachment.name;
  const path = `/documents/${id}/attachment?name=${encodeURIComponent(name)}`;
  const run = () => send(session, document, 'PUT', path, new FileBody(attachment.bytes, type));
  return [{ name: 'attach', run }];
}

/** A document says what it says for ever: it is entered, and its file attached; it is never changed. */
export async function applyDocument(session: Session, document: TreeDocument): Promise<void> {
  const { attachment, by: _enteredBy, ...fields } = document;
  const { id } = fields;
  const now = await session.find<DocumentBody>(`/documents/${encodeURIComponent(id)}`);
  if (now === null) {
    const run = () => send(session, document, 'POST', '/documents', fields);
    await session.carryOut('document', id, true, [{ name: 'enter', run }, ...attach(session, document)]);
    return;
  }
  if (now.number !== fields.number.normalize('NFC').trim() || now.issuedOn !== fields.issuedOn)
    throw new CommandFailure(`document ${id}: it is ${now.number} of ${now.issuedOn} and cannot be changed`);
  const same =
    attachment === null ||
    now.attachment?.sha256 === createHash('sha256').update(attachment.bytes).digest('hex');
  await session.carryOut('document', id, false, same ? [] : attach(session, document));
}
