/** A pattern says something that no text is made for here. */
class Unwritable extends Error {
  override readonly name = 'Unwritable';
}

type Node =
  | { readonly kind: 'nothing' }
  /** One character: a class, an escape, a dot, or the character itself. */
  | { readonly kind: 'one'; readonly source: string }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'choice'; readonly options: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly min: number; readonly max: number };

const MAX_PATTERN = 1024;
const MAX_GROUPS = 24;
const MAX_TEXT = 4096;

const QUANTIFIER = /(?:([*+?])|\{(\d{1,4})(?:(,)(\d{1,4})?)?\})\??/y;
const ESCAPE = /\\(?:[pP]\{[^{}]*\}|u\{[^{}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[A-Za-z]|[^1-9k])/uy;
const CLASS = /\[\^?(?:[^\\\]]|\\.)*\]/suy;
const GROUP = /\((?:\?:|\?<(?![=!])[^>]*>|(?!\?))/y;

function take(expression: RegExp, text: string, at: number): RegExpExecArray | null {
  expression.lastIndex = at;
  return expression.exec(text);
}

/** Reads what a pattern is made of, without running it. */
class PatternReader {
  readonly #pattern: string;
  #at = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  read(): Node {
    const node = this.#choice();
    if (this.#at < this.#pattern.length) throw new Unwritable('a group is not open');
    return node;
  }

  #choice(): Node {
    const options = [this.#sequence()];
    while (this.#pattern[this.#at] === '|') {
      this.#at += 1;
      options.push(this.#sequence());
    }
    return { kind: 'choice', options };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    for (let next = this.#pattern[this.#at]; next !== undefined; next = this.#pattern[this.#at]) {
      if (next === '|' || next === ')') break;
      parts.push(this.#quantified(this.#atom(next)));
    }
    return { kind: 'sequence', parts };
  }

  #quantified(node: Node): Node {
    const found = take(QUANTIFIER, this.#pattern, this.#at);
    if (found === null) return node;
    this.#at += found[0].length;
    const [, sign, from, comma, to] = found;
    if (sign !== undefined) {
      return { kind: 'repeat', node, min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : MAX_TEXT };
    }
    const min = Number(from);
    const max = comma === undefined ? min : to === undefined ? MAX_TEXT : Number(to);
    return { kind: 'repeat', node, min, max };
  }

  #atom(next: string): Node {
    if (next === '(') return this.#group();
    if (next === '^' || next === '$') return this.#skip(1);
    if (next === '\\' && /[bB]/.test(this.#pattern[this.#at + 1] ?? '')) return this.#skip(2);
    if (next === '[') return this.#one(take(CLASS, this.#pattern, this.#at)?.[0]);
    if (next === '\\') return this.#one(take(ESCAPE, this.#pattern, this.#at)?.[0]);
    return this.#one(String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0));
  }

  #group(): Node {
    const opening = take(GROUP, this.#pattern, this.#at)?.[0];
    this.#depth += 1;
    if (opening === undefined || this.#depth > MAX_GROUPS) throw new Unwritable('a group of another kind');
    this.#at += opening.length;
    const node = this.#choice();
    if (this.#pattern[this.#at] !== ')') throw new Unwritable('a group is not closed');
    this.#at += 1;
    this.#depth -= 1;
    return node;
  }

  #one(source: string | undefined): Node {
    if (source === undefined) throw new Unwritable('a character of another kind');
    this.#at += source.length;
    return { kind: 'one', source };
  }

  #skip(length: number): Node {
    this.#at += length;
    return { kind: 'nothing' };
  }
}

const KNOWN_CHARACTERS = Array.from(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz1234567890-._ /:@,+#&%=~!?*()\'"$;<>[]{}|\\^`đàĐ\t\n',
);

/** Writes texts of one pattern. The same pattern, turn and length always give the same text. */
class PatternWriter {
  readonly #characters: readonly string[];
  readonly #members = new Map<string, readonly string[]>();
  readonly #turn: number;
  #written = 0;

  constructor(pattern: string, turn: number) {
    this.#characters = [...new Set([...KNOWN_CHARACTERS, ...Array.from(pattern)])];
    this.#turn = turn;
  }

  /** @param extra how often a part is repeated beyond what it needs */
  write(node: Node, extra: number): string {
    this.#written = 0;
    return this.#text(node, extra);
  }

  #text(node: Node, extra: number): string {
    if (node.kind === 'one') return this.#character(node.source);
    if (node.kind === 'sequence') return node.parts.map((part) => this.#text(part, extra)).join('');
    if (node.kind === 'choice') {
      return this.#text(node.options[this.#turn % node.options.length] ?? { kind: 'nothing' }, extra);
    }
    if (node.kind === 'nothing') return '';
    let text = '';
    const times = Math.min(node.max, node.min + extra);
    for (let i = 0; i < times; i += 1) {
      const before = this.#written;
      text += this.#text(node.node, extra);
      // What writes nothing writes nothing however often: `(a{0}){0,1000}`.
      if (this.#written === before) break;
    }
    return text;
  }

  #character(source: string): string {
    const members = this.#membersOf(source);
    const found = members[(this.#turn + this.#written) % members.length];
    this.#written += 1;
    if (found === undefined || this.#written > MAX_TEXT) throw new Unwritable('no character, or too many');
    return found;
  }

  #membersOf(source: string): readonly string[] {
    const known = this.#members.get(source);
    if (known !== undefined) return known;
    const expression = /^[\\[.]/u.test(source) ? new RegExp(`^${source}$`, 'u') : null;
    const members =
      expression === null ? [source] : this.#characters.filter((character) => expression.test(character));
    this.#members.set(source, members);
    return members;
  }
}

export interface PatternWish {
  /** Whether a text is what is wanted: the pattern itself, its length, its format. */
  readonly fits: (text: string) => boolean;
  readonly minLength: number;
  /** Another turn gives another text, where the pattern leaves a choice. */
  readonly turn: number;
}

/** How generously repeated parts are written, until a text fits. */
const EXTRAS = [0, 1, 2, 3, 5, 8, 13, 21, 34];

/**
 * A text for a pattern of codes, numbers and names; null where none is found. Never runs the pattern as a whole but
 * through `fits`, so its cost is bounded by the pattern's own length and `MAX_TEXT`.
 *
 * @example sampleOfPattern('^[0-9]{5}$', { fits, minLength: 0, turn: 0 }) // '12345'
 */
export function sampleOfPattern(pattern: string, { fits, minLength, turn }: PatternWish): string | null {
  if (pattern.length > MAX_PATTERN) return null;
  try {
    const node = new PatternReader(pattern).read();
    const writer = new PatternWriter(pattern, turn);
    const texts = [...EXTRAS, minLength].map((extra) => attempt(() => writer.write(node, extra)));
    // A pattern without an end takes more behind it.
    const longer = texts.map((text) => text?.padEnd(minLength, 'a') ?? null);
    const found = [...texts, ...longer].filter((text): text is string => text !== null && fits(text));
    return found.find((text) => text !== '') ?? found[0] ?? null;
  } catch (error) {
    if (error instanceof Unwritable || error instanceof SyntaxError) return null;
    throw error;
  }
}

function attempt(write: () => string): string | null {
  try {
    return write();
  } catch (error) {
    if (error instanceof Unwritable) return null;
    throw error;
  }
}
