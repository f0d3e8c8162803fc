import { LinearPattern } from './patterns.js';
import { sampleOfPattern } from './sample-pattern.js';
import { type Shape, Unmakeable } from './sample-shape.js';

/** Longer texts are not made, however long a schema wants them. */
const MAX_LENGTH = 65_536;
const MAX_TRIES = 1000;

type Written = (turn: number) => string;

const two = (turn: number): string => String(1 + (turn % 28)).padStart(2, '0');

/** Addresses that are nobody's (RFC 2606, 5737, 3849), and a day on which nothing in particular happened. */
const FORMATTED: Readonly<Record<string, Written>> = {
  date: (turn) => `2025-07-${two(turn)}`,
  'date-time': (turn) => `2025-07-${two(turn)}T08:00:00+07:00`,
  time: (turn) => `08:${two(turn)}:00+07:00`,
  duration: (turn) => `P${turn + 1}D`,
  email: (turn) => `mau${turn === 0 ? '' : turn}@example.vn`,
  hostname: (turn) => `mau${turn === 0 ? '' : turn}.example.vn`,
  ipv4: (turn) => `192.0.2.${1 + (turn % 254)}`,
  ipv6: (turn) => `2001:db8::${(turn + 1).toString(16)}`,
  uri: (turn) => `https://example.vn/mau/${turn + 1}`,
  'uri-reference': (turn) => `/mau/${turn + 1}`,
  'uri-template': (turn) => `/mau/${turn + 1}/{ma}`,
  uuid: (turn) => `00000000-0000-4000-8000-${(turn + 1).toString(16).padStart(12, '0')}`,
  'json-pointer': (turn) => `/mau/${turn}`,
  'relative-json-pointer': (turn) => String(turn),
  regex: (turn) => `^mau${turn}$`,
  byte: (turn) => Buffer.from(`mau${String(turn).padStart(3, '0')}`).toString('base64'),
  password: () => '********',
};

/** Formats whose texts take more of the same at their end. */
const GROWING = new Set(['uri', 'uri-reference', 'json-pointer', 'password', 'binary', 'float', 'double']);

const lengthOf = (text: string): number => Array.from(text).length;

/** A text for a shape. Another `turn` gives another one, where there is a choice. */
export function sampleText(shape: Shape, turn: number): string {
  const min = shape.bound('minLength') ?? 0;
  const max = shape.bound('maxLength') ?? MAX_LENGTH;
  if (min > MAX_LENGTH || min > max) throw new Unmakeable('no text has this length');
  const patterns = shape.patterns.map((pattern) => new LinearPattern(pattern));
  const fits = (text: string): boolean => {
    const length = lengthOf(text);
    return length >= min && length <= max && patterns.every((pattern) => pattern.test(text));
  };
  const formatted = shape.formats
    .map((format) => formattedText(format, turn, min))
    .find((text) => text !== null);
  if (formatted !== undefined && formatted !== null && fits(formatted)) return formatted;
  for (const { source } of patterns) {
    const text = sampleOfPattern(source, { fits, minLength: Math.min(min, 4096), turn });
    if (text !== null) return text;
  }
  const plain = plainText(turn, min, max);
  if (fits(plain)) return plain;
  throw new Unmakeable('no text was found for the pattern');
}

function formattedText(format: string, turn: number, min: number): string | null {
  if (!Object.hasOwn(FORMATTED, format)) return null;
  const text = FORMATTED[format]?.(turn) ?? null;
  if (text === null || text.length >= min) return text;
  if (format === 'email') return text.replace('@', `@${'a'.repeat(Math.min(60, min - text.length))}.`);
  return GROWING.has(format) ? text.padEnd(min, 'a') : text;
}

function plainText(turn: number, min: number, max: number): string {
  const text = `mẫu${turn === 0 ? '' : ` ${turn}`}`;
  // Where there is no room for the word, its number comes first: two short texts still differ.
  const short = lengthOf(text) <= max ? text : (turn === 0 ? 'm' : String(turn)).slice(0, max);
  return short + 'a'.repeat(Math.max(0, min - lengthOf(short)));
}

/** A number for a shape, as near to 1 as its bounds allow. */
export function sampleNumber(shape: Shape, integer: boolean, turn: number): number {
  const step = shape.steps[0] ?? (integer ? 1 : null);
  const fits = (value: number): boolean => isWithin(shape, value) && (!integer || Number.isInteger(value));
  const candidates = step === null ? between(shape, turn) : multiples(shape, step, turn);
  for (const value of candidates) if (fits(value)) return value;
  throw new Unmakeable('no number is within the bounds');
}

function isWithin(shape: Shape, value: number): boolean {
  const at = (keyword: string): number | undefined => shape.bound(keyword);
  return (
    Number.isFinite(value) &&
    value >= (at('minimum') ?? -Infinity) &&
    value <= (at('maximum') ?? Infinity) &&
    value > (at('exclusiveMinimum') ?? -Infinity) &&
    value < (at('exclusiveMaximum') ?? Infinity) &&
    shape.steps.every((step) => Number.isInteger(value / step)) &&
    !(shape.formats.includes('int32') && (value > 2 ** 31 - 1 || value < -(2 ** 31)))
  );
}

const lowest = (shape: Shape): number =>
  Math.max(shape.bound('minimum') ?? -Infinity, shape.bound('exclusiveMinimum') ?? -Infinity);
const highest = (shape: Shape): number =>
  Math.min(shape.bound('maximum') ?? Infinity, shape.bound('exclusiveMaximum') ?? Infinity);

/** Multiples of a step: up from 1 or from the lower bound, then down from the upper one. */
function* multiples(shape: Shape, step: number, turn: number): Iterable<number> {
  const low = lowest(shape);
  const high = highest(shape);
  const first = Math.ceil(Math.max(low, Math.min(1, high)) / step);
  const last = Math.floor(high / step);
  // Sums of a fraction gather errors that a product rounded to 15 digits does not.
  const at = (n: number): number => Number((n * step).toPrecision(15));
  for (let i = 0; i < MAX_TRIES; i += 1) yield at(first + turn + i);
  for (let i = 0; i < MAX_TRIES && Number.isFinite(last); i += 1) yield at(last - turn - i);
}

function* between(shape: Shape, turn: number): Iterable<number> {
  const low = lowest(shape);
  const high = highest(shape);
  yield 1 + turn;
  yield low + 1 + turn;
  yield high - 1 - turn;
  yield low + ((high - low) * (turn + 1)) / (turn + 2);
  yield low;
  yield high;
}
