import type { Fault } from '../base/problem.js';
import type { ApiDocument } from './document.js';
import { fault } from './faults.js';
import { member, objectMember, pointerOf } from './json-tree.js';
import type { ParameterIn, ParameterSource } from './operation-source.js';
import { isUntyped, propertiesOf, seenKeyword, type Types, typesOf } from './schema-types.js';

/** How the text of one parameter becomes its value. */
export type Shape =
  | { readonly kind: 'scalar'; readonly types: Types }
  | { readonly kind: 'json' }
  | { readonly kind: 'array'; readonly types: Types; readonly separator: ',' | ' ' | '|' | null }
  /** `pairs`: `a,1,b,2`; `keys`: one query key a property; `deep`: `name[a]=1`. */
  | {
      readonly kind: 'object';
      readonly form: 'pairs' | 'keys' | 'deep';
      readonly properties: ReadonlyMap<string, Types>;
    };

export interface ParameterPlan {
  readonly name: string;
  readonly in: ParameterIn;
  readonly required: boolean;
  readonly schema: unknown;
  readonly shape: Shape;
}

export type PlannedParameter =
  | { readonly plan: ParameterPlan; readonly fault: null }
  | { readonly plan: null; readonly fault: Fault };

interface Reading {
  readonly document: ApiDocument;
  readonly source: ParameterSource;
  readonly schema: unknown;
}

const DEFAULT_STYLE: Readonly<Record<ParameterIn, string>> = {
  path: 'simple',
  query: 'form',
  header: 'simple',
  cookie: 'form',
};
const STYLES: Readonly<Record<ParameterIn, readonly string[]>> = {
  path: ['simple'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
  cookie: ['form'],
};

class Unsupported extends Error {
  readonly keyword: string;
  readonly vi: string;
  readonly en: string;

  constructor(keyword: string, vi: string, en: string) {
    super(en);
    this.keyword = keyword;
    this.vi = vi;
    this.en = en;
  }
}

/** The one kind of value that a schema admits besides null. */
function kindOf(types: Types): 'scalar' | 'array' | 'object' {
  if (isUntyped(types)) return 'scalar';
  const kinds = new Set(
    [...types]
      .filter((type) => type !== 'null')
      .map((type) => (type === 'array' || type === 'object' ? type : 'scalar')),
  );
  const [kind] = kinds;
  if (kinds.size === 1 && kind !== undefined) return kind;
  throw new Unsupported(
    'type',
    'tham số phải là một giá trị, một mảng hoặc một đối tượng, không lẫn lộn',
    'a parameter must be a value, a list or an object, not a mixture',
  );
}

function flat(types: Types, what: { vi: string; en: string }): Types {
  if (isUntyped(types) || (!types.has('array') && !types.has('object'))) return types;
  throw new Unsupported('type', `${what.vi} phải là giá trị đơn`, `${what.en} must be single values`);
}

function objectShape(reading: Reading, style: string, explode: boolean): Shape {
  const properties = new Map<string, Types>();
  for (const [name, property] of propertiesOf(reading.schema, reading.document)) {
    const types = typesOf(property, reading.document);
    properties.set(name, flat(types, { vi: 'thuộc tính của tham số', en: 'the properties of a parameter' }));
  }
  if (properties.size === 0) {
    throw new Unsupported(
      'properties',
      'tham số dạng đối tượng phải khai báo các thuộc tính',
      'an object parameter must declare its properties',
    );
  }
  if (style === 'deepObject') return { kind: 'object', form: 'deep', properties };
  return { kind: 'object', form: explode ? 'keys' : 'pairs', properties };
}

function arrayShape(reading: Reading, style: string, explode: boolean): Shape {
  const items = seenKeyword(reading.schema, 'items', reading.document);
  const types = flat(typesOf(items, reading.document), {
    vi: 'phần tử của tham số',
    en: 'the items of a parameter',
  });
  const separators = { form: ',', simple: ',', spaceDelimited: ' ', pipeDelimited: '|' } as const;
  const separator = separators[style as keyof typeof separators];
  if (separator === undefined) {
    throw new Unsupported(
      'style',
      `kiểu ${style} không dùng cho mảng`,
      `style ${style} does not carry lists`,
    );
  }
  return { kind: 'array', types, separator: style === 'form' && explode ? null : separator };
}

function assertPlace(
  where: ParameterIn,
  kind: 'scalar' | 'array' | 'object',
  style: string,
  explode: boolean,
): void {
  if (!STYLES[where].includes(style)) {
    const vi = `kiểu ${style} không được hỗ trợ ở đây`;
    throw new Unsupported('style', vi, `style ${style} is not supported here`);
  }
  if (kind === 'object' && where !== 'query') {
    const en = 'objects are supported in the query only';
    throw new Unsupported('type', 'chỉ hỗ trợ đối tượng trong chuỗi truy vấn', en);
  }
  if (kind === 'array' && where === 'cookie') {
    throw new Unsupported('type', 'không hỗ trợ mảng trong cookie', 'lists are not supported in cookies');
  }
  if (kind !== 'scalar' && explode && (style === 'spaceDelimited' || style === 'pipeDelimited')) {
    throw new Unsupported(
      'explode',
      `kiểu ${style} cần explode: false`,
      `style ${style} needs explode: false`,
    );
  }
  const onlyObjects = style === 'deepObject' && kind !== 'object';
  const onlyLists = (style === 'spaceDelimited' || style === 'pipeDelimited') && kind !== 'array';
  if (onlyObjects || onlyLists) {
    const vi = `kiểu ${style} không hợp với kiểu dữ liệu của tham số`;
    throw new Unsupported('style', vi, `style ${style} does not suit the type of the parameter`);
  }
}

function shapeOf(reading: Reading): Shape {
  const { source, schema, document } = reading;
  const declaredStyle = source.node['style'];
  const style = typeof declaredStyle === 'string' ? declaredStyle : DEFAULT_STYLE[source.in];
  const explode = source.node['explode'] === undefined ? style === 'form' : source.node['explode'] === true;
  const types = typesOf(schema, document);
  const kind = kindOf(types);
  assertPlace(source.in, kind, style, explode);
  if (kind === 'scalar') return { kind, types };
  return kind === 'array' ? arrayShape(reading, style, explode) : objectShape(reading, style, explode);
}

/** The schema of a parameter, given directly or as its only media type, which must be JSON. */
function schemaOf(source: ParameterSource): { schema: unknown; json: boolean } {
  const schema = member(source.node, 'schema');
  const content = Object.entries(objectMember(source.node, 'content'));
  if (schema !== undefined && content.length === 0) return { schema, json: false };
  const [only] = content;
  if (schema === undefined && content.length === 1 && only?.[0].toLowerCase() === 'application/json') {
    return { schema: member(only[1], 'schema') ?? true, json: true };
  }
  throw new Unsupported(
    'schema',
    'tham số cần đúng một "schema", hoặc "content" với riêng application/json',
    'a parameter needs one "schema", or "content" with application/json alone',
  );
}

/** How a declared parameter is read from a request, or why it cannot be. */
export function planParameter(document: ApiDocument, source: ParameterSource): PlannedParameter {
  try {
    if (source.name === '__proto__')
      throw new Unsupported('name', 'tên này bị cấm', 'this name is not allowed');
    const { schema, json } = schemaOf(source);
    const required = source.node['required'] === true;
    const shape: Shape = json ? { kind: 'json' } : shapeOf({ document, source, schema });
    return { plan: { name: source.name, in: source.in, required, schema, shape }, fault: null };
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    const place = member(source.node, error.keyword) === undefined ? '' : pointerOf(error.keyword);
    const pointer = error.keyword === 'type' ? `${source.pointer}/schema` : source.pointer + place;
    return { plan: null, fault: fault(pointer, error.keyword, error.vi, error.en) };
  }
}
