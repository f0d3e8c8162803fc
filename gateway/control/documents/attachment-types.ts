import { Problem } from '../../base/problem.js';

interface FileType {
  readonly type: string;
  readonly extension: string;
  /** The bytes that such a file begins with. */
  readonly begins: Buffer;
  /** For containers: text that must stand near the beginning, to tell one kind of archive from another. */
  readonly contains?: string;
}

const ZIP = Buffer.from('PK\u0003\u0004', 'latin1');
const OFFICE = 'application/vnd.openxmlformats-officedocument';

const FILE_TYPES: readonly FileType[] = [
  { type: 'application/pdf', extension: 'pdf', begins: Buffer.from('%PDF-') },
  { type: 'image/png', extension: 'png', begins: Buffer.from('89504e470d0a1a0a', 'hex') },
  { type: 'image/jpeg', extension: 'jpg', begins: Buffer.from('ffd8ff', 'hex') },
  { type: `${OFFICE}.wordprocessingml.document`, extension: 'docx', begins: ZIP, contains: 'word/' },
  { type: `${OFFICE}.spreadsheetml.sheet`, extension: 'xlsx', begins: ZIP, contains: 'xl/' },
  {
    type: 'application/vnd.oasis.opendocument.text',
    extension: 'odt',
    begins: ZIP,
    contains: 'application/vnd.oasis.opendocument.text',
  },
];

function is(file: FileType, bytes: Buffer): boolean {
  if (!bytes.subarray(0, file.begins.length).equals(file.begins)) return false;
  return file.contains === undefined || bytes.includes(file.contains);
}

/**
 * The extension of an attachment, whose bytes must be what its media type says: a page in disguise would run in the
 * browser of whoever opens it.
 *
 * @throws Problem `media_type_unsupported`
 */
export function extensionOf(type: string, bytes: Buffer): string {
  const essence = type.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const file = FILE_TYPES.find((one) => one.type === essence);
  if (file !== undefined && is(file, bytes)) return file.extension;
  throw new Problem('media_type_unsupported', {
    detail: {
      vi: 'Tệp đính kèm phải là PDF, PNG, JPEG, DOCX, XLSX hoặc ODT và đúng với Content-Type đã khai.',
      en: 'An attachment is a PDF, PNG, JPEG, DOCX, XLSX or ODT file, and is what its Content-Type says.',
    },
  });
}
