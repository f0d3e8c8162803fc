import { type Columns, columnsOf, type TextColumn, WIDTHS } from '../columns.js';
import type { AuditRecord } from '../record.js';

// What a pattern reads of a value. Escapes are left to a parser, and so is all that nests.
const TEXT = '"[^"\\\\\\x00-\\x1f]*"';
const NUMBER = '-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:e[-+]?\\d+)?';
const list = (name: string): string => `\\[(?:${name}(?:,${name})*)?\\]`;
const NAMES = list('"[ !#-\\[\\]-~]*"');
/** No bracket: the first that closes ends the list. */
const DIGESTS = list('"[!#-Z^-~]*"');

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
  disclosed: { value: NAMES },
  subjects: { value: DIGESTS },
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

/** The columns in the order in which a leaf has them; behind them those that no member repeats as it is. */
const COLUMN_ORDER: readonly (keyof Columns)[] = [
  ...REPEATED.flatMap(([, { column }]) => column ?? []),
  'received_at',
  'noun',
  'target_key',
];

/** SQL of SQLite for the columns of a record as one JSON array. */
export const COLUMN_ARRAY = `json_array(${COLUMN_ORDER.map((name) => `"${name}"`).join(', ')})`;

function memberPattern([name, { value, column }]: readonly [string, Member]): string {
  return `"${name}":${column === undefined ? '(?:' : '('}${value})`;
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
  const repeated = REPEATED.map((_, i) => `\\${i + 1}(?:null)?,`).join('');
  return new RegExp(`${leaf}\\n\\[${repeated}\\d+,null,null\\](?![^\\x00])`, 'y');
}

const PATTERN = agreementPattern();

/** What follows the time of receipt in the array of columns. */
const BEHIND_TIME = ',null,null]'.length;

/**
 * What stands between the name of a member, with what opens its value, and what closes that; null where it is not there.
 * Of a text that the pattern took: no value in it holds a quote, so that a name before a colon is a member's.
 */
function memberText(text: string, opens: string, closes: string): string | null {
  const found = text.indexOf(opens);
  if (found < 0) return null;
  const from = found + opens.length;
  return text.slice(from, text.indexOf(closes, from));
}

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
  // Only whether it matches: an array of all that was captured costs as much again.
  if (!PATTERN.test(text)) return null;
  const taken = text.slice(at, PATTERN.lastIndex);
  const received = memberText(taken, '"received":"', '"') ?? '';
  const time = taken.slice(taken.lastIndexOf(',', taken.length - BEHIND_TIME - 1) + 1, -BEHIND_TIME);
  if (Date.parse(received) !== Number(time)) return null;
  const subjects = memberText(taken, '"subjects":[', ']');
  return subjects === null ? { received } : { received, subjects: JSON.parse(`[${subjects}]`) as string[] };
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
