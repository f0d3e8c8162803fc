import { type Columns, columnsOf, type TextColumn, WIDTHS } from '../columns.js';
import type { AuditRecord } from '../record.js';

// What a pattern reads of a value. Escapes are left to a parser, and so is all that nests.
const TEXT = '"[^"\\\\\\x00-\\x1f]*"';
const NUMBER = '-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:e[-+]?\\d+)?';
const NAMES = '"[ !#-\\[\\]-~]*"';
const LIST = `\\[(?:${NAMES}(?:,${NAMES})*)?\\]`;

interface Member {
  /** A regular expression of its values. */
  readonly value: string;
  /** The column that repeats it. */
  readonly column?: keyof Columns;
}

/** A longer value was clipped in its column. A byte is never more than a character, so that none too long passes. */
function repeatedText(column: TextColumn): Member {
  return { value: TEXT.replace(/\*/, `{0,${WIDTHS[column]}}`), column };
}

/** The members of a leaf that are flat. `target` and `claimed` nest: a record that has one is parsed. */
const MEMBERS: Readonly<Record<Exclude<keyof AuditRecord, 'target' | 'claimed'>, Member>> = {
  v: { value: '1' },
  id: { value: TEXT, column: 'id' },
  kind: { value: TEXT, column: 'kind' },
  plane: { value: TEXT, column: 'plane' },
  opening: repeatedText('opening'),
  received: { value: '"[-0-9T:.]+Z"' },
  released: { value: TEXT },
  sourceMs: { value: NUMBER },
  agency: repeatedText('agency'),
  system: repeatedText('system'),
  user: repeatedText('user'),
  case: repeatedText('case_no'),
  address: { value: TEXT },
  tokenId: { value: TEXT },
  keyId: { value: TEXT },
  boundTo: { value: TEXT },
  provider: repeatedText('provider'),
  service: repeatedText('service'),
  version: repeatedText('version'),
  operation: repeatedText('operation'),
  sharing: { value: TEXT },
  method: { value: TEXT },
  path: { value: TEXT },
  grant: repeatedText('grant_no'),
  disclosed: { value: LIST },
  subjects: { value: LIST },
  subjectsLeftOut: { value: NUMBER },
  outcome: repeatedText('outcome'),
  stage: { value: TEXT },
  code: repeatedText('code'),
  reason: { value: TEXT },
  status: { value: NUMBER, column: 'status' },
  success: { value: 'true|false' },
  bytesIn: { value: NUMBER },
  bytesOut: { value: NUMBER },
  requestSha256: { value: TEXT },
  responseSha256: { value: TEXT },
  trace: repeatedText('trace'),
  node: { value: TEXT },
};

const IN_ORDER = Object.entries(MEMBERS).sort(([a], [b]) => (a < b ? -1 : 1));
const REPEATED = IN_ORDER.filter(([, { column }]) => column !== undefined);
/** Members that a pattern captures, in order: a group is known by its place, for names cost an object a record. */
const CAPTURED = IN_ORDER.filter(
  ([name, { column }]) => column !== undefined || name === 'received' || name === 'subjects',
).map(([name]) => name);

/** The columns in the order in which a leaf has them; behind them those that no member repeats as it is. */
const COLUMN_ORDER: readonly (keyof Columns)[] = [
  ...REPEATED.flatMap(([, { column }]) => column ?? []),
  'received_at',
  'noun',
  'target_key',
];

const groupOf = (name: string): number => CAPTURED.indexOf(name) + 1;
const [RECEIVED, SUBJECTS, RECEIVED_AT] = [groupOf('received'), groupOf('subjects'), CAPTURED.length + 1];

/** SQL of SQLite for the columns of a record as one JSON array. */
export const COLUMN_ARRAY = `json_array(${COLUMN_ORDER.map((name) => `"${name}"`).join(', ')})`;

function memberPattern([name, { value }]: readonly [string, Member]): string {
  return `"${name}":${CAPTURED.includes(name) ? '(' : '(?:'}${value})`;
}

/**
 * A leaf, a newline, and an array of columns that repeats what the leaf says, up to a NUL or the end. The leaf is an
 * object with members in canonical order, `v` among them. A group that took no part stands for the empty text: so the
 * column of a member that is there is that member's value, and of one that is not there, null.
 */
function agreementPattern(): RegExp {
  const before = IN_ORDER.filter(([name]) => name < 'v').map((member) => `(?:${memberPattern(member)},)?`);
  const after = IN_ORDER.filter(([name]) => name > 'v').map((member) => `(?:,${memberPattern(member)})?`);
  const leaf = `\\{${before.join('')}${memberPattern(['v', MEMBERS.v])}${after.join('')}\\}`;
  const repeated = REPEATED.map(([name]) => `\\${groupOf(name)}(?:null)?,`).join('');
  return new RegExp(`${leaf}\\n\\[${repeated}(\\d+),null,null\\](?![^\\x00])`, 'y');
}

const PATTERN = agreementPattern();

/** What is still to be held against a record whose columns agree with its leaf. */
export type Agreeing = Pick<AuditRecord, 'received' | 'subjects'>;

/**
 * Reads a record whose columns plainly repeat its leaf.
 *
 * @param text of one byte a character; at `at` stand leaf, newline and array of columns, then NUL or the end
 * @returns null where that is not plain: a parser may still find that they do
 */
export function plainlyAgreeing(text: string, at: number): Agreeing | null {
  PATTERN.lastIndex = at;
  const found = PATTERN.exec(text);
  if (found === null) return null;
  const received = found[RECEIVED]?.slice(1, -1) ?? '';
  if (Date.parse(received) !== Number(found[RECEIVED_AT])) return null;
  const subjects = found[SUBJECTS];
  return subjects === undefined ? { received } : { received, subjects: JSON.parse(subjects) as string[] };
}

/** The same by parsing both. @returns null where they do not agree */
export function parsedAgreeing(leaf: string, columns: string): AuditRecord | null {
  const [record, stored] = [parsed(leaf) as AuditRecord | null, parsed(columns)];
  if (typeof record !== 'object' || record === null || !Array.isArray(stored)) return null;
  const expected = columnsOf(record);
  return COLUMN_ORDER.every((name, i) => expected[name] === stored[i]) ? record : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
