import type { ErrorObject } from 'ajv';
import type { Bilingual, Fault } from '../base/problem.js';
import { pointerOf } from './json-tree.js';

/** More than this many faults of one message are not listed. */
export const MAX_MESSAGE_FAULTS = 20;

type Parameters = Readonly<Record<string, unknown>>;
type Wording = (params: Parameters) => Bilingual;

/** A value of the contract (never one that was sent), short enough to repeat. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

const TYPES_VI: Readonly<Record<string, string>> = {
  string: 'chuỗi ký tự',
  integer: 'số nguyên',
  number: 'số',
  boolean: 'true hoặc false',
  object: 'đối tượng',
  array: 'mảng',
  null: 'null',
};

function typeNames(type: unknown): string[] {
  return (Array.isArray(type) ? type : [type]).map(String);
}

function bound(vi: string, en: string): Wording {
  return ({ limit }) => ({ vi: vi.replace('#', shown(limit)), en: en.replace('#', shown(limit)) });
}

function comparison({ comparison, limit }: Parameters): Bilingual {
  return {
    vi: `phải ${shown(comparison)} ${shown(limit)}`,
    en: `must be ${shown(comparison)} ${shown(limit)}`,
  };
}

const says =
  (vi: string, en: string): Wording =>
  () => ({ vi, en });

const UNDECLARED = says('không được khai báo trong cấu trúc dữ liệu', 'is not declared in the structure');
const MISSING = says('bắt buộc phải có', 'is required');

const WORDINGS: Readonly<Record<string, Wording>> = {
  type: ({ type }) => ({
    vi: `phải là ${typeNames(type)
      .map((name) => TYPES_VI[name] ?? name)
      .join(' hoặc ')}`,
    en: `must be ${typeNames(type).join(' or ')}`,
  }),
  enum: ({ allowedValues }) => ({
    vi: `phải là một trong các giá trị ${shown(allowedValues)}`,
    en: `must be one of ${shown(allowedValues)}`,
  }),
  const: ({ allowedValue }) => ({
    vi: `phải là ${shown(allowedValue)}`,
    en: `must be ${shown(allowedValue)}`,
  }),
  required: MISSING,
  dependentRequired: MISSING,
  additionalProperties: UNDECLARED,
  unevaluatedProperties: UNDECLARED,
  forbidden: says('không được có ở đây', 'must not be present here'),
  propertyNames: says('có tên trường không hợp lệ', 'has a member whose name is not allowed'),
  minLength: bound('phải có ít nhất # ký tự', 'must have at least # characters'),
  maxLength: bound('không được quá # ký tự', 'must not have more than # characters'),
  minItems: bound('phải có ít nhất # phần tử', 'must have at least # items'),
  maxItems: bound('không được quá # phần tử', 'must not have more than # items'),
  items: bound('không được quá # phần tử', 'must not have more than # items'),
  minProperties: bound('phải có ít nhất # trường', 'must have at least # members'),
  maxProperties: bound('không được quá # trường', 'must not have more than # members'),
  minimum: comparison,
  maximum: comparison,
  exclusiveMinimum: comparison,
  exclusiveMaximum: comparison,
  multipleOf: ({ multipleOf }) => ({
    vi: `phải là bội của ${shown(multipleOf)}`,
    en: `must be a multiple of ${shown(multipleOf)}`,
  }),
  pattern: ({ pattern }) => ({ vi: `phải khớp mẫu ${shown(pattern)}`, en: `must match ${shown(pattern)}` }),
  format: ({ format }) => ({
    vi: `phải đúng định dạng ${shown(format)}`,
    en: `must be a valid ${shown(format)}`,
  }),
  uniqueItems: says('không được có phần tử trùng nhau', 'must not have equal items'),
  contains: says('thiếu phần tử bắt buộc phải có', 'does not contain the items that it must'),
  unevaluatedItems: says('có phần tử không được khai báo', 'has items that are not declared'),
  oneOf: says('phải khớp đúng một trong các cấu trúc', 'must match exactly one of the structures'),
  anyOf: says('phải khớp ít nhất một trong các cấu trúc', 'must match at least one of the structures'),
  not: says('khớp một cấu trúc không được phép', 'matches a structure that is not allowed'),
};

const OTHERWISE = says('không đúng cấu trúc đã công bố', 'does not match the published structure');

/** The member that an error is about, where it is not the value itself. */
const NAMED: Readonly<Record<string, string>> = {
  required: 'missingProperty',
  dependentRequired: 'missingProperty',
  additionalProperties: 'additionalProperty',
  unevaluatedProperties: 'unevaluatedProperty',
};

/** One error of Ajv in words of ours: it names the rule of the contract and never repeats what was sent. */
export function describe(error: ErrorObject): Fault {
  const params = error.params as Parameters;
  const keyword = error.keyword === 'false schema' ? 'forbidden' : error.keyword;
  const named = NAMED[keyword];
  const name = named === undefined ? undefined : params[named];
  const pointer = error.instancePath + (typeof name === 'string' ? pointerOf(name) : '');
  return { pointer, keyword, message: (WORDINGS[keyword] ?? OTHERWISE)(params) };
}

/** Errors in the order of their places, each place and rule once, at most `MAX_MESSAGE_FAULTS`. */
export function describeAll(errors: readonly ErrorObject[], place: (pointer: string) => string): Fault[] {
  const found = new Map<string, Fault>();
  for (const error of errors) {
    if (error.keyword === 'if') continue;
    const one = describe(error);
    const pointer = place(one.pointer);
    const key = `${pointer} ${one.keyword}`;
    if (!found.has(key)) found.set(key, { ...one, pointer });
    if (found.size >= 10 * MAX_MESSAGE_FAULTS) break;
  }
  const sorted = [...found.values()].sort((a, b) =>
    a.pointer < b.pointer ? -1 : a.pointer > b.pointer ? 1 : 0,
  );
  return sorted.slice(0, MAX_MESSAGE_FAULTS);
}
