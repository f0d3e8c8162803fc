import { type Bilingual, type Fault, Problem } from '../base/problem.js';
import { fault } from './faults.js';
import { parseGuarded } from './json-guard.js';
import { pointerOf } from './json-tree.js';
import type { ParameterPlan, Shape } from './parameters.js';
import { coerce } from './scalar.js';
import type { Types } from './schema-types.js';

export type Values = Record<string, unknown>;

export function malformed(pointer: string, keyword: string, message: Bilingual): Problem {
  return new Problem('request_malformed', { detail: message, errors: [{ pointer, keyword, message }] });
}

function badEscape(pointer: string): Problem {
  return malformed(pointer, 'percentEncoding', {
    vi: 'mã hóa phần trăm (%) không đúng',
    en: 'the percent-encoding is wrong',
  });
}

/** Names come from the sender: long ones are cut before they are repeated. */
export function shortName(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}…` : name;
}

function decode(text: string, pointer: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw badEscape(pointer);
  }
}

/** `raw` texts by key in the order sent; splitting happens before decoding, so an encoded `&` stays data. */
export function readPairs(text: string, section: string): Map<string, string[]> {
  const pairs = new Map<string, string[]>();
  if (text === '') return pairs;
  for (const piece of text.split('&')) {
    if (piece === '') continue;
    const at = piece.indexOf('=');
    const key = decode(at < 0 ? piece : piece.slice(0, at), section);
    const value = at < 0 ? '' : piece.slice(at + 1);
    const known = pairs.get(key);
    if (known === undefined) pairs.set(key, [value]);
    else known.push(value);
  }
  return pairs;
}

function readJson(text: string, pointer: string): unknown {
  const parsed = parseGuarded(Buffer.from(text));
  if (!parsed.ok) throw malformed(pointer, parsed.keyword, parsed.message);
  return parsed.value;
}

function single(values: readonly string[], pointer: string): string {
  if (values.length > 1) {
    throw malformed(pointer, 'duplicate', {
      vi: 'tham số chỉ được gửi một lần',
      en: 'the parameter may be sent only once',
    });
  }
  return values[0] ?? '';
}

/** Items of a list in one text. A comma is split before decoding, so that an encoded comma stays part of an item. */
function splitList(text: string, separator: ',' | ' ' | '|', pointer: string): string[] {
  if (separator === ',') return text.split(',').map((item) => decode(item, pointer));
  return decode(text, pointer).split(separator);
}

function pairsObject(
  items: readonly string[],
  properties: ReadonlyMap<string, Types>,
  pointer: string,
): Values {
  const value: Values = {};
  for (let i = 0; i < items.length; i += 2) {
    const name = items[i] ?? '';
    if (Object.hasOwn(value, name) || name === '__proto__') {
      throw malformed(pointer, 'duplicate', { vi: 'thuộc tính bị lặp lại', en: 'a property is given twice' });
    }
    const types = properties.get(name);
    const text = items[i + 1] ?? '';
    value[name] = types === undefined ? text : coerce(text, types);
  }
  return value;
}

function queryValue(shape: Shape, values: readonly string[], pointer: string): unknown {
  if (shape.kind === 'array' && shape.separator === null) {
    return values.map((text) => coerce(decode(text, pointer), shape.types));
  }
  const text = single(values, pointer);
  if (shape.kind === 'scalar') return coerce(decode(text, pointer), shape.types);
  if (shape.kind === 'json') return readJson(decode(text, pointer), pointer);
  const items = splitList(text, shape.kind === 'array' ? (shape.separator ?? ',') : ',', pointer);
  if (shape.kind === 'array') return items.map((item) => coerce(item, shape.types));
  return pairsObject(items, shape.properties, pointer);
}

interface QueryKey {
  readonly parameter: ParameterPlan;
  /** The property that this key carries, where an object is spread over several keys. */
  readonly property: string | null;
  readonly types: Types | null;
}

/** Reads a query string into the declared parameters and nothing else. */
export class QueryReader {
  readonly #keys = new Map<string, QueryKey>();

  constructor(parameters: readonly ParameterPlan[]) {
    for (const parameter of parameters) this.#declare(parameter);
  }

  /** What a caller may send, as it is written in a query. */
  get names(): string[] {
    return [...this.#keys.keys()];
  }

  #declare(parameter: ParameterPlan): void {
    const { shape, name } = parameter;
    if (shape.kind !== 'object' || shape.form === 'pairs') {
      this.#keys.set(name, { parameter, property: null, types: null });
      return;
    }
    for (const [property, types] of shape.properties) {
      const key = shape.form === 'deep' ? `${name}[${property}]` : property;
      this.#keys.set(key, { parameter, property, types });
    }
  }

  /** @throws Problem `request_malformed` for what cannot be read one way only; `unknown` names what is not declared */
  read(text: string): { readonly values: Values; readonly unknown: Fault[] } {
    const values: Values = {};
    const unknown: Fault[] = [];
    for (const [key, texts] of readPairs(text, '/query')) {
      const known = this.#keys.get(key);
      const pointer = `/query${pointerOf(shortName(key))}`;
      if (known === undefined) {
        unknown.push(
          fault(pointer, 'unknown', 'tham số này không được khai báo', 'this parameter is not declared'),
        );
      } else if (known.property === null) {
        values[known.parameter.name] = queryValue(known.parameter.shape, texts, pointer);
      } else {
        const { name } = known.parameter;
        if (!Object.hasOwn(values, name)) values[name] = {};
        const text = decode(single(texts, pointer), pointer);
        (values[name] as Values)[known.property] = coerce(text, known.types ?? new Set());
      }
    }
    return { values, unknown };
  }
}

/** Path values arrive decoded, so a list in a path cannot hold commas. */
export function readPath(
  parameters: readonly ParameterPlan[],
  params: Readonly<Record<string, string>>,
): Values {
  const values: Values = {};
  for (const { name, shape } of parameters) {
    const text = Object.hasOwn(params, name) ? params[name] : undefined;
    if (text !== undefined) values[name] = plainValue(shape, text, `/path${pointerOf(name)}`);
  }
  return values;
}

function plainValue(shape: Shape, text: string, pointer: string): unknown {
  if (shape.kind === 'json') return readJson(text, pointer);
  if (shape.kind === 'array') return text.split(',').map((item) => coerce(item.trim(), shape.types));
  return shape.kind === 'scalar' ? coerce(text, shape.types) : text;
}

export type HeaderMap = Readonly<Record<string, string | string[] | undefined>>;

export function readHeaders(
  parameters: readonly ParameterPlan[],
  headers: HeaderMap,
  section = '/header',
): Values {
  const values: Values = {};
  for (const { name, shape } of parameters) {
    const sent = headers[name];
    // A header called `constructor` is not sent merely because every object has one.
    if (sent === undefined || !Object.hasOwn(headers, name)) continue;
    const text = Array.isArray(sent) ? sent.join(', ') : sent;
    values[name] = plainValue(shape, text, section + pointerOf(name));
  }
  return values;
}

/** Declared cookies only; a cookie sent twice is refused, for the source might believe the other. */
export function readCookies(
  parameters: readonly ParameterPlan[],
  header: string | string[] | undefined,
): Values {
  const values: Values = {};
  if (parameters.length === 0 || header === undefined) return values;
  const known = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  for (const piece of (Array.isArray(header) ? header.join('; ') : header).split(';')) {
    const at = piece.indexOf('=');
    const parameter = at < 0 ? undefined : known.get(piece.slice(0, at).trim());
    if (parameter === undefined) continue;
    const pointer = `/cookie${pointerOf(parameter.name)}`;
    if (Object.hasOwn(values, parameter.name)) single(['', ''], pointer);
    const text = piece
      .slice(at + 1)
      .trim()
      .replace(/^"(.*)"$/, '$1');
    values[parameter.name] = plainValue(parameter.shape, decodeCookie(text, pointer), pointer);
  }
  return values;
}

function decodeCookie(text: string, pointer: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw badEscape(pointer);
  }
}
