import { RE2JS } from 're2js';

/** What JavaScript's `\s` means; RE2's own is ASCII only. */
const SPACE =
  '\\t\\n\\v\\f\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}';
/** What `\s` is not, as ranges, for use inside a class. */
const NO_SPACE =
  '\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}' +
  '\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}';

const ANYTHING = '\\x{0}-\\x{10ffff}';

class NotLinear extends Error {
  override readonly name = 'NotLinear';
}

function translateEscape(letter: string, inClass: boolean): string {
  // RE2JS would read \k as a plain letter; numbers it refuses itself, but not for every number.
  if (/[1-9k]/.test(letter)) throw new NotLinear('back-reference');
  if (letter === '0') return '\\x{0}';
  if (letter === 's') return inClass ? SPACE : `[${SPACE}]`;
  if (letter === 'S') return inClass ? NO_SPACE : `[^${SPACE}]`;
  // A backspace inside a class, a word boundary outside it.
  return letter === 'b' && inClass ? '\\x{8}' : `\\${letter}`;
}

/** A class that is empty in JavaScript; RE2 would take its end for a member. */
function emptyClass(pattern: string, at: number): { text: string; length: number } | null {
  if (pattern.startsWith('[]', at)) return { text: `[^${ANYTHING}]`, length: 2 };
  return pattern.startsWith('[^]', at) ? { text: `[${ANYTHING}]`, length: 3 } : null;
}

/** Writes a JavaScript pattern so that RE2 reads it with JavaScript's meaning: `\s`, `.` and classes differ. */
function translate(pattern: string): string {
  let out = '';
  let inClass = false;
  for (let i = 0; i < pattern.length; i += 1) {
    const char = pattern.charAt(i);
    const empty = inClass ? null : emptyClass(pattern, i);
    if (char === '\\') {
      i += 1;
      out += translateEscape(pattern.charAt(i), inClass);
    } else if (empty !== null) {
      out += empty.text;
      i += empty.length - 1;
    } else if (inClass) {
      inClass = char !== ']';
      out += char === '[' ? '\\[' : char;
    } else {
      inClass = char === '[';
      out += char === '.' ? '[^\\n\\r\\x{2028}\\x{2029}]' : char;
    }
  }
  return out;
}

const ATOM = String.raw`(?:\[\^?(?:[^\\[\]]|\\.)+\]|\\[dDwWsS.\-/]|[^\\^$.*+?()[\]{}|])`;
const FIXED = `(?:${ATOM}(?:\\{\\d+\\})?)*`;
const VARIABLE = `(?:${ATOM}(?:[*+?]|\\{\\d+,\\d*\\}))?`;
/** Codes, numbers and the like: anchored, without groups or alternatives, and with one part of variable length at most. */
const STRAIGHT = new RegExp(`^\\^${FIXED}${VARIABLE}${FIXED}\\$?$`, 'u');
/** Longer ones are not looked at: the look itself is quadratic at worst. */
const STRAIGHT_LENGTH = 128;

/** Whether a pattern has so little choice that JavaScript's own, far faster engine ends in linear time too. */
function isStraight(pattern: string): boolean {
  return pattern.length <= STRAIGHT_LENGTH && STRAIGHT.test(pattern);
}

/** A pattern that always ends in time linear in the text, whatever the text. */
export class LinearPattern {
  readonly source: string;
  readonly #compiled: { test(text: string): boolean };

  /** @throws when the pattern is not valid JavaScript, or needs what cannot run in linear time */
  constructor(pattern: string) {
    const native = new RegExp(pattern, 'u');
    this.source = pattern;
    this.#compiled = isStraight(pattern) ? native : RE2JS.compile(RE2JS.translateRegExp(translate(pattern)));
  }

  test(text: string): boolean {
    return this.#compiled.test(text);
  }

  /** Ajv keeps patterns apart by this. */
  toString(): string {
    return this.source;
  }
}

export type PatternFault = 'syntax' | 'lookaround' | 'backreference' | 'unsupported';

/** Why a pattern cannot be used; null when it can. */
export function patternFault(pattern: string): PatternFault | null {
  try {
    new RegExp(pattern, 'u');
  } catch {
    return 'syntax';
  }
  try {
    new LinearPattern(pattern);
    return null;
  } catch {
    if (/\(\?<?[=!]/.test(pattern)) return 'lookaround';
    return /\\(?:[1-9]|k<)/.test(pattern) ? 'backreference' : 'unsupported';
  }
}

function linear(pattern: string): LinearPattern {
  return new LinearPattern(pattern);
}

/** For Ajv's `code.regExp`. */
export const linearRegExp = Object.assign(linear, { code: 'linearRegExp' });
