import type { Places, KnownPlace } from './check-places.js';
import type { ApiDocument } from './document.js';
import type { FaultList } from './faults.js';
import { FORMATS, isKnownFormat, SILENT_FORMATS } from './formats.js';
import {
  isObject,
  type JsonObject,
  listMember,
  localPointer,
  member,
  objectMember,
  pointerOf,
} from './json-tree.js';
import { patternFault, type PatternFault } from './patterns.js';
import { IN_PLACE_LISTS, IN_PLACE_SINGLE, isKnownKeyword } from './schema-keywords.js';
import { scalarTypes } from './schema-types.js';

export const MAX_SCHEMA_DEPTH = 64;
const MAX_COMPARED_ITEMS = 1000;

const PATTERN_FAULTS: Readonly<Record<PatternFault, readonly [vi: string, en: string]>> = {
  syntax: ['biểu thức chính quy sai cú pháp', 'the expression is not valid'],
  lookaround: [
    'không hỗ trợ nhìn trước/nhìn sau ((?=…), (?!…), (?<=…), (?<!…)): thời gian so khớp phải tuyến tính',
    'look-around ((?=…), (?!…), (?<=…), (?<!…)) is not supported: matching must take linear time',
  ],
  backreference: [
    'không hỗ trợ tham chiếu ngược (\\1, \\k<…>): thời gian so khớp phải tuyến tính',
    'back-references (\\1, \\k<…>) are not supported: matching must take linear time',
  ],
  unsupported: [
    'biểu thức dùng phần không hỗ trợ (ví dụ lặp quá 1000 lần)',
    'the expression uses what is not supported (e.g. more than 1000 repetitions)',
  ],
};

/** Checks every schema of a document for what would not compile, would not end, or would be passed over in silence. */
export function checkSchemas(document: ApiDocument, places: Places, faults: FaultList): void {
  for (const place of places.ofKind('schema')) checkSchema(document, place, faults);
  checkEndless(document, places, faults);
}

function checkSchema(document: ApiDocument, place: KnownPlace, faults: FaultList): void {
  const { pointer, value, depth } = place;
  if (typeof value === 'boolean') return;
  if (!isObject(value)) {
    faults.add(pointer, 'type', 'lược đồ phải là một đối tượng', 'a schema must be an object');
    return;
  }
  if (depth > MAX_SCHEMA_DEPTH) {
    const vi = `lược đồ lồng quá ${MAX_SCHEMA_DEPTH} cấp`;
    faults.add(pointer, 'depth', vi, `schemas nest deeper than ${MAX_SCHEMA_DEPTH} levels`);
    return;
  }
  if (value['$ref'] !== undefined && document.dialect === '3.0') return;
  checkKeywords(document, pointer, value, faults);
  checkPatterns(pointer, value, faults);
  checkUniqueItems(document, pointer, value, faults);
}

// A map, because a keyword may be called `constructor`.
const HINTS = new Map<string, readonly [vi: string, en: string]>([
  ['nullable', ["dùng type: [..., 'null'] trong OpenAPI 3.1", "use type: [..., 'null'] in OpenAPI 3.1"]],
  ['$id', ['không hỗ trợ $id', '$id is not supported']],
  ['$schema', ['không hỗ trợ đổi phương ngữ ($schema)', 'another dialect ($schema) is not supported']],
]);

function checkKeywords(document: ApiDocument, pointer: string, schema: JsonObject, faults: FaultList): void {
  for (const keyword of Object.keys(schema)) {
    if (isKnownKeyword(keyword, document.dialect)) continue;
    const [vi, en] = HINTS.get(keyword) ?? [
      `OpenAPI ${document.dialect} không có từ khóa này nên nó sẽ không được kiểm tra`,
      `OpenAPI ${document.dialect} has no such keyword, so it would not be checked`,
    ];
    faults.add(pointer + pointerOf(keyword), 'unknownKeyword', vi, en);
  }
  const format = schema['format'];
  if (typeof format === 'string' && !isKnownFormat(format)) {
    const known = [...Object.keys(FORMATS), ...SILENT_FORMATS].join(', ');
    faults.add(
      `${pointer}/format`,
      'format',
      `định dạng được hỗ trợ: ${known}`,
      `the formats supported: ${known}`,
    );
  }
}

function checkPatterns(pointer: string, schema: JsonObject, faults: FaultList): void {
  const patterns: [string, unknown][] = Object.keys(objectMember(schema, 'patternProperties')).map(
    (pattern) => [pointerOf('patternProperties', pattern), pattern],
  );
  patterns.push(['/pattern', schema['pattern']]);
  for (const [place, pattern] of patterns) {
    const reason = typeof pattern === 'string' ? patternFault(pattern) : null;
    if (reason !== null) faults.add(pointer + place, 'pattern', ...PATTERN_FAULTS[reason]);
  }
}

function checkUniqueItems(
  document: ApiDocument,
  pointer: string,
  schema: JsonObject,
  faults: FaultList,
): void {
  if (schema['uniqueItems'] !== true) return;
  const { maxItems, items } = schema;
  if (typeof maxItems === 'number' && maxItems <= MAX_COMPARED_ITEMS) return;
  if (items !== undefined && schema['prefixItems'] === undefined && scalarTypes(items, document) !== null)
    return;
  faults.add(
    `${pointer}/uniqueItems`,
    'uniqueItems',
    `phần tử không phải giá trị đơn thì cần maxItems không quá ${MAX_COMPARED_ITEMS}`,
    `items that are not scalars need maxItems of at most ${MAX_COMPARED_ITEMS}`,
  );
}

/** References that speak of the very same value: following them consumes nothing of it. */
function inPlaceReferences(schema: unknown, found: string[] = []): string[] {
  if (!isObject(schema)) return found;
  const pointer = localPointer(member(schema, '$ref'));
  if (pointer !== null) found.push(pointer);
  for (const keyword of IN_PLACE_SINGLE) inPlaceReferences(member(schema, keyword), found);
  for (const keyword of IN_PLACE_LISTS)
    for (const part of listMember(schema, keyword)) inPlaceReferences(part, found);
  for (const part of Object.values(objectMember(schema, 'dependentSchemas'))) inPlaceReferences(part, found);
  return found;
}

/** A schema that refers to itself without going into the value, directly or through others, can never be decided. */
function checkEndless(document: ApiDocument, places: Places, faults: FaultList): void {
  const done = new Set<string>();
  for (const { value } of places.ofKind('schema')) {
    const start = localPointer(member(value, '$ref'));
    if (start === null || done.has(start)) continue;
    for (const pointer of circle(document, start, done)) {
      const vi = 'lược đồ tham chiếu vòng về chính nó trên cùng một giá trị';
      faults.add(pointer, 'circular', vi, 'the schema refers back to itself for the same value');
    }
  }
}

/** Depth first without recursion: a chain of references may be as long as the document. */
function circle(document: ApiDocument, start: string, done: Set<string>): string[] {
  const open = new Set<string>([start]);
  const stack = [{ pointer: start, next: inPlaceReferences(document.at(start)) }];
  const found: string[] = [];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const pointer = top.next.pop();
    if (pointer === undefined) {
      open.delete(top.pointer);
      done.add(top.pointer);
      stack.pop();
    } else if (open.has(pointer)) found.push(pointer);
    else if (!done.has(pointer)) {
      open.add(pointer);
      stack.push({ pointer, next: inPlaceReferences(document.at(pointer)) });
    }
  }
  return found;
}
