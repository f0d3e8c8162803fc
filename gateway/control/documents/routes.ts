import { vietnamDay } from '../../base/calendar.js';
import { uuidv7 } from '../../base/ids.js';
import { Problem } from '../../base/problem.js';
import { changing } from '../../store/changes.js';
import {
  type DocumentKind,
  type DocumentRow,
  findDocument,
  insertDocument,
  pageDocuments,
  updateDocument,
} from '../../store/documents.js';
import { isUniqueViolation } from '../../store/unique.js';
import { actorOf } from '../actor.js';
import { assertChosenId } from '../chosen-ids.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { seesAllDocuments, seesDocument } from '../papers.js';
import { conflict, invalid, notFound } from '../refusals.js';
import { extensionOf } from './attachment-types.js';
import { listDebts, settleDebt } from './debts.js';
import { documentView } from './views.js';

interface NewDocument {
  readonly id?: string;
  readonly number: string;
  readonly kind: DocumentKind;
  readonly issuedOn: string;
  readonly issuer: string;
  readonly signatory: string;
  readonly requestedBy?: DocumentRow['requested_by'];
  readonly summary?: string | null;
}

const tidy = (text: string): string => text.normalize('NFC').trim();

function newRow(call: ControlCall, now: number): DocumentRow {
  const body = call.body as NewDocument;
  return {
    id: body.id ?? uuidv7(now),
    number: tidy(body.number),
    kind: body.kind,
    issued_on: body.issuedOn,
    issuer: tidy(body.issuer),
    signatory: tidy(body.signatory),
    requested_by: body.requestedBy ?? null,
    summary: body.summary === undefined || body.summary === null ? null : tidy(body.summary),
    agency_code: call.caller.agency,
    attachment_sha256: null,
    attachment_name: null,
    attachment_type: null,
    attachment_bytes: null,
    created_by: actorOf(call.caller),
    created_at: now,
    updated_at: now,
  };
}

function assertIssued(row: DocumentRow, now: number): void {
  if (row.issued_on <= vietnamDay(now)) return;
  throw invalid('/body/issuedOn', 'date', 'văn bản chưa đến ngày ban hành', 'lies in the future');
}

async function list({ database }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { query, caller } = call;
  const page = await pageDocuments(
    database,
    { ...query, agency: seesAllDocuments(caller) ? null : caller.agency },
    pageAsked(query),
  );
  return { status: 200, body: pageBody(page, documentView) };
}

async function create({ database, clock }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const now = clock.now();
  assertChosenId(call.caller, seesAllDocuments(call.caller), (call.body as NewDocument).id);
  const row = newRow(call, now);
  assertIssued(row, now);
  try {
    await changing(database, { noun: 'document', key: row.id, at: now }, (trx) => insertDocument(trx, row));
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw conflict(`Mã văn bản ${row.id} đã được dùng.`, `The id ${row.id} is taken.`);
  }
  const after = documentView(row);
  return { status: 201, body: after, act: { noun: 'document', key: row.id, before: null, after } };
}

async function mustSee({ database }: ControlContext, { path, caller }: ControlCall): Promise<DocumentRow> {
  const row = await findDocument(database.knex, path['id'] ?? '');
  if (row === undefined || !seesDocument(caller, row)) throw notFound();
  return row;
}

async function get(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  return { status: 200, body: documentView(await mustSee(context, call)) };
}

/** A name for the file that no shell, no header and no file system can trip over. */
function fileName(asked: unknown, row: DocumentRow, extension: string): string {
  const base = typeof asked === 'string' ? asked.replace(/\.[^.]*$/, '') : row.number;
  const plain = tidy(base)
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 120);
  return `${plain === '' ? 'van-ban' : plain}.${extension}`;
}

/** A document's file is what was signed: it is given once, and again only if it is the same. */
async function attach(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock, attachments } = context;
  const { file } = call;
  const known = await mustSee(context, call);
  if (file === undefined || file.bytes.length === 0) throw new Problem('request_malformed');
  const extension = extensionOf(file.type, file.bytes);
  const sha256 = await attachments.put(file.bytes);
  const now = clock.now();
  const patch = {
    attachment_sha256: sha256,
    attachment_name: fileName(call.query['name'], known, extension),
    attachment_type: file.type.split(';', 1)[0]?.trim().toLowerCase() ?? '',
    attachment_bytes: file.bytes.length,
    updated_at: now,
  };
  const before = await changing(database, { noun: 'document', key: known.id, at: now }, async (trx) => {
    const row = (await findDocument(trx, known.id)) ?? known;
    if (row.attachment_sha256 !== null && row.attachment_sha256 !== sha256)
      throw conflict('Văn bản đã có tệp đính kèm khác.', 'The document has another attachment already.', {
        kind: 'document',
        id: row.id,
        state: 'attached',
      });
    await updateDocument(trx, row.id, patch);
    return row;
  });
  const after = documentView({ ...before, ...patch });
  return {
    status: 200,
    body: after,
    act: { noun: 'document', key: known.id, before: documentView(before), after },
  };
}

async function download(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const row = await mustSee(context, call);
  if (row.attachment_sha256 === null) throw notFound();
  const bytes = await context.attachments.get(row.attachment_sha256);
  const name = row.attachment_name ?? 'van-ban';
  return {
    status: 200,
    body: bytes,
    headers: {
      'content-type': row.attachment_type ?? 'application/octet-stream',
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
      'content-security-policy': "default-src 'none'; sandbox",
    },
  };
}

/** Documents: the papers that acts rest on, with their files, and those that emergency acts still owe. */
export function documentRoutes(context: ControlContext): ControlHandlers {
  return {
    listDocuments: (call) => list(context, call),
    createDocument: (call) => create(context, call),
    getDocument: (call) => get(context, call),
    putAttachment: (call) => attach(context, call),
    getAttachment: (call) => download(context, call),
    listDocumentDebts: (call) => listDebts(context, call),
    settleDocumentDebt: (call) => settleDebt(context, call),
  };
}
