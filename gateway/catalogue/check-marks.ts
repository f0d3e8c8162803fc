import type { ApiDocument, Place } from './document.js';
import { listMember, member, pointerOf } from './json-tree.js';
import { contentOf, type OperationSource } from './operation-source.js';
import type { Manifest } from './manifest.js';
import { isUntyped, propertiesOf, seenKeyword, typesOf } from './schema-types.js';
import { EACH, stepsOf } from './secrecy-marks.js';

/** A pointer of a manifest into messages. */
interface Mark {
  readonly pointer: string;
  /** Only in messages of these operations; of any, where absent. */
  readonly operations?: readonly string[] | undefined;
  /** Where it stands in the manifest. */
  readonly at: string;
}

/** The pointers of a manifest that name fields of messages. */
export interface Marks {
  readonly request: readonly Mark[];
  readonly response: readonly Mark[];
}

export const NO_MARKS: Marks = { request: [], response: [] };

type Schemas = readonly unknown[];

const MAX_BRANCHING = 8;

/** A schema and the alternatives it offers. */
function alternatives(document: ApiDocument, schema: unknown, depth = 0): Schemas {
  if (depth > MAX_BRANCHING) return [];
  const branches = ['anyOf', 'oneOf'].flatMap((keyword) =>
    listMember({ branches: seenKeyword(schema, keyword, document) }, 'branches'),
  );
  return [schema, ...branches.flatMap((branch) => alternatives(document, branch, depth + 1))];
}

/** The schemas one step further in; nothing is known of what an untyped schema holds, so everything is. */
function step(document: ApiDocument, schema: unknown, name: string): Schemas {
  const items = seenKeyword(schema, 'items', document);
  if (items !== undefined && (name === EACH || /^[0-9]+$/.test(name))) return [items];
  const properties = propertiesOf(schema, document);
  if (name === EACH && properties.size > 0) return [...properties.values()];
  const property = properties.get(name);
  if (property !== undefined) return [property];
  const additional = seenKeyword(schema, 'additionalProperties', document);
  if (typeof additional === 'object' || additional === true) return [additional];
  return isUntyped(typesOf(schema, document)) ? [true] : [];
}

function leads(document: ApiDocument, from: Schemas, steps: readonly string[]): boolean {
  let schemas = from;
  for (const name of steps)
    schemas = schemas
      .flatMap((schema) => alternatives(document, schema))
      .flatMap((schema) => step(document, schema, name));
  return schemas.length > 0;
}

function bodySchemas(holder: Place | null): Schemas {
  if (holder === null) return [];
  return [...contentOf(holder).values()].map(({ value }) => member(value, 'schema') ?? true);
}

function namedIn(source: OperationSource, section: string, name: string): boolean {
  return source.parameters.some((parameter) => {
    const same =
      section === 'header' ? parameter.name.toLowerCase() === name.toLowerCase() : parameter.name === name;
    return parameter.in === section && (same || name === EACH);
  });
}

function inRequest(document: ApiDocument, source: OperationSource, pointer: string): boolean {
  const [section = '', ...steps] = stepsOf(pointer);
  if (section === 'body') return leads(document, bodySchemas(source.requestBody), steps);
  return namedIn(source, section, steps[0] ?? '');
}

function inResponse(document: ApiDocument, source: OperationSource, pointer: string): boolean {
  const [section = '', ...steps] = stepsOf(pointer);
  return [...source.responses.values()].some((response) => {
    if (section === 'body') return leads(document, bodySchemas(response), steps);
    const headers = Object.keys((member(response.value, 'headers') as object | undefined) ?? {});
    return headers.some((name) => name.toLowerCase() === (steps[0] ?? '').toLowerCase());
  });
}

/** Of these pointers into an operation's answers, those that lead to no field of a success that it declares. */
export function fieldsAstray(
  document: ApiDocument,
  source: OperationSource,
  pointers: readonly string[],
): string[] {
  const answers = [...source.responses].filter(([status]) => status.startsWith('2'));
  const schemas = answers.flatMap(([, response]) => bodySchemas(response));
  return pointers.filter((pointer) => !leads(document, schemas, stepsOf(pointer)));
}

const SIDES = ['request', 'response'] as const;

/** What a manifest says of fields in messages: degrees of secrecy, and whose data they carry. */
export function marksOf(manifest: Pick<Manifest, 'secrecyMarks' | 'subjects'> | null): Marks {
  const of = (side: keyof Marks): Mark[] => [
    ...(manifest?.secrecyMarks?.[side] ?? []).map((pointer, i) => ({
      pointer,
      at: pointerOf('secrecyMarks', side, i),
    })),
    ...(manifest?.subjects?.[side] ?? []).map(({ pointer, operations }, i) => ({
      ...{ pointer, operations },
      at: pointerOf('subjects', side, i),
    })),
  ];
  return { request: of('request'), response: of('response') };
}

function isAstray(
  { pointer, operations }: Mark,
  sources: readonly OperationSource[],
  leadsIn: (source: OperationSource, pointer: string) => boolean,
): boolean {
  if (operations === undefined) return !sources.some((source) => leadsIn(source, pointer));
  // Named operations are promised one by one.
  return !operations.every((id) => sources.some((source) => source.id === id && leadsIn(source, pointer)));
}

/** Pointers into the manifest to marks that no operation of the document could carry: misspelled, they would guard nothing. */
export function marksAstray(
  document: ApiDocument,
  sources: readonly OperationSource[],
  marks: Marks,
): string[] {
  const known = { request: inRequest, response: inResponse };
  return SIDES.flatMap((side) =>
    marks[side]
      .filter((mark) => isAstray(mark, sources, (source, pointer) => known[side](document, source, pointer)))
      .map(({ at }) => at),
  );
}
