import type { ApiDocument, Place } from './document.js';
import type { FaultList } from './faults.js';
import { isObject, localPointer, member, pointerOf } from './json-tree.js';
import { BINDING } from './operation-source.js';
import { LISTS, MAPS, SINGLE } from './schema-keywords.js';

/** What stands at a place of an OpenAPI document. */
export type Kind =
  | 'document'
  | 'components'
  | 'pathItem'
  | 'operation'
  | 'parameter'
  | 'header'
  | 'requestBody'
  | 'response'
  | 'mediaType'
  | 'encoding'
  | 'callback'
  | 'schema'
  | 'example'
  | 'link'
  | 'securityScheme';

type Holding = readonly [holds: 'one' | 'list' | 'map', kind: Kind];

const OPERATIONS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
const every = (names: readonly string[], holds: Holding[0], kind: Kind): Record<string, Holding> =>
  Object.fromEntries(names.map((name) => [name, [holds, kind] as const]));

const CONTENT = { content: ['map', 'mediaType'] } as const;
const EXAMPLES = { examples: ['map', 'example'] } as const;

/** Where the parts of each kind of place are. What is not listed holds nothing that is checked one by one. */
const PARTS: Readonly<Record<Kind, Readonly<Record<string, Holding>>>> = {
  document: { paths: ['map', 'pathItem'], webhooks: ['map', 'pathItem'], components: ['one', 'components'] },
  components: {
    schemas: ['map', 'schema'],
    responses: ['map', 'response'],
    parameters: ['map', 'parameter'],
    requestBodies: ['map', 'requestBody'],
    headers: ['map', 'header'],
    callbacks: ['map', 'callback'],
    pathItems: ['map', 'pathItem'],
    links: ['map', 'link'],
    securitySchemes: ['map', 'securityScheme'],
    ...EXAMPLES,
  },
  pathItem: { parameters: ['list', 'parameter'], ...every(OPERATIONS, 'one', 'operation') },
  operation: {
    parameters: ['list', 'parameter'],
    requestBody: ['one', 'requestBody'],
    responses: ['map', 'response'],
    callbacks: ['map', 'callback'],
  },
  parameter: { schema: ['one', 'schema'], ...CONTENT, ...EXAMPLES },
  header: { schema: ['one', 'schema'], ...CONTENT, ...EXAMPLES },
  requestBody: CONTENT,
  response: { headers: ['map', 'header'], links: ['map', 'link'], ...CONTENT },
  mediaType: { schema: ['one', 'schema'], encoding: ['map', 'encoding'], ...EXAMPLES },
  encoding: { headers: ['map', 'header'] },
  callback: {},
  schema: {
    ...every(SINGLE, 'one', 'schema'),
    ...every(LISTS, 'list', 'schema'),
    ...every(MAPS, 'map', 'schema'),
    contentSchema: ['one', 'schema'],
  },
  example: {},
  link: {},
  securityScheme: {},
};

export interface KnownPlace extends Place {
  readonly kind: Kind;
  /** How many schemas stand around this one. */
  readonly depth: number;
}

/** Every part of a document that is checked one by one: pointer → place. References are not followed. */
export class Places {
  readonly all = new Map<string, KnownPlace>();
  readonly #document: ApiDocument;

  constructor(document: ApiDocument) {
    this.#document = document;
    const waiting: KnownPlace[] = [{ kind: 'document', pointer: '', value: document.root, depth: 0 }];
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      this.all.set(place.pointer, place);
      waiting.push(...this.#parts(place));
    }
  }

  ofKind(kind: Kind): KnownPlace[] {
    return [...this.all.values()].filter((place) => place.kind === kind);
  }

  #parts(place: KnownPlace): KnownPlace[] {
    const { value, pointer, kind } = place;
    if (!isObject(value)) return [];
    // OpenAPI 3.0: whatever stands beside a reference does not exist.
    if (member(value, '$ref') !== undefined && kind === 'schema' && this.#document.dialect === '3.0')
      return [];
    const depth = kind === 'schema' ? place.depth + 1 : 0;
    const found: KnownPlace[] = [];
    for (const [name, part] of Object.entries(value)) {
      if (kind === 'callback' && !name.startsWith('x-')) {
        found.push({ kind: 'pathItem', pointer: pointer + pointerOf(name), value: part, depth });
      }
      const holding = Object.hasOwn(PARTS[kind], name) ? PARTS[kind][name] : undefined;
      if (holding !== undefined)
        found.push(...held(holding, { pointer: pointer + pointerOf(name), value: part }, depth));
    }
    return found;
  }
}

function held([holds, kind]: Holding, place: Place, depth: number): KnownPlace[] {
  if (holds === 'one') return [{ ...place, kind, depth }];
  const inner = (name: string | number, value: unknown): KnownPlace => ({
    kind,
    pointer: place.pointer + pointerOf(name),
    value,
    depth,
  });
  if (holds === 'list')
    return Array.isArray(place.value) ? place.value.map((value, i) => inner(i, value)) : [];
  if (!isObject(place.value)) return [];
  const entries = Object.entries(place.value);
  // Extensions live beside paths and statuses; among schemas by name, `x-…` is a name like any other.
  const named = kind === 'schema' ? entries : entries.filter(([name]) => !name.startsWith('x-'));
  return named.map(([name, value]) => inner(name, value));
}

/**
 * Every reference must stay inside the document and lead to a part of the right kind, which is thereby checked too.
 * Files and addresses are never read.
 */
export function checkReferences(document: ApiDocument, places: Places, faults: FaultList): void {
  for (const place of places.all.values()) {
    const reference = member(place.value, '$ref');
    if (reference === undefined || (place.kind === 'schema' && place.value === true)) continue;
    const at = `${place.pointer}/$ref`;
    const pointer = localPointer(reference);
    if (pointer === null) {
      const vi = 'chỉ được tham chiếu bên trong tài liệu (#/…)';
      faults.add(at, '$ref', vi, 'a reference must stay inside the document (#/…)');
    } else if (document.at(pointer) === undefined) {
      faults.add(at, '$ref', 'tham chiếu không dẫn tới đâu', 'the reference leads nowhere');
    } else if (places.all.get(pointer)?.kind !== place.kind) {
      const en = `the reference does not lead to a ${place.kind}`;
      faults.add(at, '$ref', `tham chiếu không dẫn tới một ${place.kind}`, en);
    } else if (place.kind !== 'schema' && document.resolve(place) === null) {
      faults.add(at, 'circular', 'các tham chiếu dẫn vòng tròn', 'the references lead in a circle');
    }
  }
}

/** An extension of ours that nobody reads would be taken for granted by its author. */
export function checkExtensions(places: Places, faults: FaultList): void {
  for (const { kind, pointer, value } of places.all.values()) {
    if (!isObject(value)) continue;
    for (const name of Object.keys(value)) {
      if (!name.startsWith('x-lgsp-') || (name === BINDING && kind === 'operation')) continue;
      const vi = `không có phần mở rộng này; chỉ có ${BINDING} trong một thao tác`;
      faults.add(
        pointer + pointerOf(name),
        'extension',
        vi,
        `unknown extension; there is ${BINDING} in an operation`,
      );
    }
  }
}
