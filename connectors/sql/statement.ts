export type SqlEngine = 'sqlite' | 'postgres' | 'mysql';

/** A statement that is not what a binding may hold. */
export class StatementError extends Error {
  override readonly name = 'StatementError';
  readonly keyword: 'syntax' | 'statements' | 'write' | 'parameter';

  constructor(keyword: StatementError['keyword'], message: string) {
    super(message);
    this.keyword = keyword;
  }
}

type TokenKind = 'word' | 'param' | 'end' | 'placeholder' | 'other';

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
}

/** A statement made ready for its driver. */
export interface Statement {
  /** With the engine's own positional parameters. */
  readonly text: string;
  /** Name of the parameter at each position that is bound. */
  readonly order: readonly string[];
  readonly writes: boolean;
}

interface Rule {
  readonly pattern: RegExp;
  readonly kind: TokenKind | 'skip';
  readonly engines?: readonly SqlEngine[];
}

/** What opens but does not close by its own rule must not be read by another one. */
const OPENERS = /['"`]|\/\*/y;

/**
 * What a database takes for a quotation or a comment, in the order in which it is tried. Each engine has its own
 * rules, and where we read one differently from the engine, a second statement could hide in it.
 */
const RULES: readonly Rule[] = [
  { pattern: /\s+/y, kind: 'skip' },
  { pattern: /--[^\n]*/y, kind: 'skip', engines: ['sqlite', 'postgres'] },
  { pattern: /--(?=[\s]|$)[^\n]*/y, kind: 'skip', engines: ['mysql'] },
  { pattern: /#[^\n]*/y, kind: 'skip', engines: ['mysql'] },
  { pattern: /\/\*(?!!|M!)[\s\S]*?\*\//y, kind: 'skip', engines: ['mysql'] },
  { pattern: /\/\*[\s\S]*?\*\//y, kind: 'skip', engines: ['sqlite'] },
  { pattern: /[eE]'(?:[^'\\]|\\[\s\S]|'')*'/y, kind: 'other', engines: ['postgres'] },
  { pattern: /'(?:[^']|'')*'/y, kind: 'other', engines: ['sqlite', 'postgres'] },
  { pattern: /"(?:[^"]|"")*"/y, kind: 'other', engines: ['sqlite', 'postgres'] },
  { pattern: /'(?:[^'\\]|\\[\s\S]|'')*'/y, kind: 'other', engines: ['mysql'] },
  { pattern: /"(?:[^"\\]|\\[\s\S]|"")*"/y, kind: 'other', engines: ['mysql'] },
  { pattern: /`(?:[^`]|``)*`/y, kind: 'other', engines: ['sqlite', 'mysql'] },
  { pattern: /\[[^\]]*\]/y, kind: 'other', engines: ['sqlite'] },
  {
    pattern: /\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[\s\S]*?\$\1\$/y,
    kind: 'other',
    engines: ['postgres'],
  },
  { pattern: /::|:=/y, kind: 'other' },
  { pattern: /:[A-Za-z_][A-Za-z0-9_]*/y, kind: 'param' },
  { pattern: /\$\d+/y, kind: 'placeholder', engines: ['postgres'] },
  { pattern: /\?\d*|[$@][A-Za-z_]\w*/y, kind: 'placeholder', engines: ['sqlite'] },
  { pattern: /\?/y, kind: 'placeholder', engines: ['mysql'] },
  { pattern: /;/y, kind: 'end' },
  { pattern: /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y, kind: 'word' },
  { pattern: /\d[\w.]*/y, kind: 'other' },
];

function at(pattern: RegExp, text: string, index: number): RegExpExecArray | null {
  pattern.lastIndex = index;
  return pattern.exec(text);
}

/** PostgreSQL's comments nest. */
function nestedComment(sql: string, start: number): number {
  let depth = 0;
  for (let i = start; i < sql.length - 1; i += 1) {
    const two = sql.slice(i, i + 2);
    if (two !== '/*' && two !== '*/') continue;
    depth += two === '/*' ? 1 : -1;
    i += 1;
    if (depth === 0) return i + 1;
  }
  throw new StatementError('syntax', 'a comment that does not end');
}

function tokenAt(sql: string, engine: SqlEngine, index: number): { kind: Rule['kind']; text: string } {
  if (engine === 'postgres' && sql.startsWith('/*', index))
    return { kind: 'skip', text: sql.slice(index, nestedComment(sql, index)) };
  for (const rule of RULES) {
    if (rule.engines?.includes(engine) === false) continue;
    const found = at(rule.pattern, sql, index);
    if (found !== null) return { kind: rule.kind, text: found[0] };
  }
  if (at(OPENERS, sql, index) !== null)
    throw new StatementError('syntax', 'a quotation or comment that does not end, or is not allowed');
  return { kind: 'other', text: sql.charAt(index) };
}

function tokenise(sql: string, engine: SqlEngine): readonly Token[] {
  if (sql.includes('\0')) throw new StatementError('syntax', 'a zero byte');
  const tokens: Token[] = [];
  for (let index = 0; index < sql.length; ) {
    const { kind, text } = tokenAt(sql, engine, index);
    if (kind !== 'skip') tokens.push({ kind, text, start: index });
    index += text.length;
  }
  return tokens;
}

/** Words that no reading statement has outside quotations: they write, lock rows or store the result. */
const WRITING: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE', 'INTO']);
const READS: ReadonlySet<string> = new Set(['SELECT', 'WITH']);
const WRITES: ReadonlySet<string> = new Set([...READS, 'INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'MERGE']);

/** The tokens of the one statement, without the semicolon that may end it. */
function oneStatement(tokens: readonly Token[]): readonly Token[] {
  const end = tokens.findIndex((token) => token.kind === 'end');
  if (end === -1) return tokens;
  if (tokens.slice(end).some((token) => token.kind !== 'end'))
    throw new StatementError('statements', 'more than one statement');
  return tokens.slice(0, end);
}

function isWriting(tokens: readonly Token[]): boolean {
  const words = tokens.filter((token) => token.kind === 'word').map((token) => token.text.toUpperCase());
  const [first = ''] = words;
  if (tokens[0]?.kind !== 'word' || !WRITES.has(first))
    throw new StatementError(
      'write',
      'a statement begins with SELECT or WITH, or writes rows where write is set',
    );
  return !READS.has(first) || words.some((word) => WRITING.has(word));
}

const PLACEHOLDERS: Readonly<Record<SqlEngine, (position: number) => string>> = {
  sqlite: () => '?',
  postgres: (position) => `$${position}`,
  mysql: () => '?',
};

function positional(
  sql: string,
  engine: SqlEngine,
  tokens: readonly Token[],
): { text: string; order: string[] } {
  const order: string[] = [];
  let text = '';
  let copied = 0;
  for (const token of tokens) {
    if (token.kind !== 'param') continue;
    const name = token.text.slice(1);
    let position = engine === 'postgres' ? order.indexOf(name) : -1;
    if (position === -1) position = order.push(name) - 1;
    text += sql.slice(copied, token.start) + PLACEHOLDERS[engine](position + 1);
    copied = token.start + token.text.length;
  }
  const last = tokens.at(-1);
  return { text: text + sql.slice(copied, last === undefined ? 0 : last.start + last.text.length), order };
}

/**
 * Reads one statement with `:name` parameters.
 *
 * @throws StatementError when it is several, is none of the kinds allowed, or has parameters of the driver's kind
 */
export function parseStatement(sql: string, engine: SqlEngine): Statement {
  const tokens = oneStatement(tokenise(sql, engine));
  const writes = isWriting(tokens);
  const foreign = tokens.find((token) => token.kind === 'placeholder');
  if (foreign !== undefined)
    throw new StatementError('parameter', `parameters are written :name, not ${foreign.text}`);
  return { ...positional(sql, engine, tokens), writes };
}
