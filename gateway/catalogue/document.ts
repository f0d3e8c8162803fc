import {
  type Document,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument as parseYaml,
  visit,
  type YAMLError,
} from 'yaml';
import type { Fault } from '../base/problem.js';
import { FaultList, fault } from './faults.js';
import { isObject, type JsonObject, localPointer, member, pointerOf, valueAt } from './json-tree.js';
import { parseGuarded } from './json-guard.js';

export const MAX_DOCUMENT_BYTES = 2 * 1024 * 1024;
/** Enough for 64 schemas one inside another, with the names between them. */
const MAX_DOCUMENT_DEPTH = 200;
const MAX_DOCUMENT_NODES = 500_000;
const MAX_ALIASES = 100;

export type Dialect = '3.0' | '3.1';

/** A place in a document: what stands there, and the pointer to it. */
export interface Place {
  readonly pointer: string;
  readonly value: unknown;
}

/** A parsed OpenAPI document. Nothing outside it is ever read. */
export class ApiDocument {
  readonly root: JsonObject;
  readonly dialect: Dialect;

  constructor(root: JsonObject, dialect: Dialect) {
    this.root = root;
    this.dialect = dialect;
  }

  at(pointer: string): unknown {
    return valueAt(this.root, pointer);
  }

  /** Follows `$ref`s to what they stand for; null when one leads outside, nowhere, or in a circle. */
  resolve(place: Place): Place | null {
    let here = place;
    for (let hops = 0; hops < 32; hops += 1) {
      const reference = member(here.value, '$ref');
      if (reference === undefined) return here;
      const pointer = localPointer(reference);
      const value = pointer === null ? undefined : this.at(pointer);
      if (pointer === null || value === undefined) return null;
      here = { pointer, value };
    }
    return null;
  }
}

export type ParsedDocument =
  | { readonly document: ApiDocument; readonly faults: readonly [] }
  | { readonly document: null; readonly faults: readonly Fault[] };

const refused = (...faults: readonly Fault[]): ParsedDocument => ({ document: null, faults });

/**
 * Reads an OpenAPI 3.0 or 3.1 document, JSON or YAML, into plain JSON values. Bounded in size, depth and aliases;
 * a member written twice, a custom tag or `__proto__` is a fault. Pointers are relative to the document's root.
 */
export function parseDocument(text: string): ParsedDocument {
  if (Buffer.byteLength(text) > MAX_DOCUMENT_BYTES) {
    return refused(fault('', 'size', 'tài liệu lớn hơn 2 MB', 'the document is larger than 2 MB'));
  }
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const json = /^\s*\{/.test(source) ? parseJson(source) : undefined;
  if (json !== undefined) return documentOf(json);
  return fromYaml(source);
}

/** JSON when it is that without doubt; anything else goes through the YAML reader, which knows lines and doubles. */
function parseJson(source: string): unknown {
  const parsed = parseGuarded(Buffer.from(source));
  return parsed.ok ? parsed.value : undefined;
}

/** The pointer to the member whose name stands at an offset of the text; empty when no member does. */
function pointerAtOffset(parsed: Document.Parsed, offset: number): string {
  let pointer = '';
  visit(parsed, {
    Pair(_index, pair, ancestors) {
      if (!isScalar(pair.key) || pair.key.range?.[0] !== offset) return undefined;
      const path: (string | number)[] = [];
      ancestors.forEach((ancestor, i) => {
        const next = ancestors[i + 1];
        if (isPair(ancestor) && isScalar(ancestor.key)) path.push(String(ancestor.key.value));
        if (isSeq(ancestor)) path.push(ancestor.items.indexOf(next));
      });
      pointer = pointerOf(...path, String(pair.key.value));
      return visit.BREAK;
    },
  });
  return pointer;
}

function yamlFault(error: YAMLError, lines: LineCounter, parsed: Document.Parsed): Fault {
  const { line, col } = lines.linePos(error.pos[0]);
  const where = { vi: `dòng ${line}, cột ${col}`, en: `line ${line}, column ${col}` };
  if (error.code === 'DUPLICATE_KEY') {
    const pointer = pointerAtOffset(parsed, error.pos[0]);
    return fault(pointer, 'duplicate', `${where.vi}: tên bị lặp lại`, `${where.en}: the name is given twice`);
  }
  return fault('', 'syntax', `${where.vi}: không đọc được`, `${where.en}: cannot be read (${error.code})`);
}

function fromYaml(source: string): ParsedDocument {
  const lines = new LineCounter();
  try {
    const parsed = parseYaml(source, {
      lineCounter: lines,
      prettyErrors: false,
      version: '1.2',
      schema: 'core',
    });
    const errors = [...parsed.errors, ...parsed.warnings];
    if (errors.length > 0) {
      const faults = errors.map((error) => yamlFault(error, lines, parsed));
      const doubles = faults.filter(({ keyword }) => keyword === 'duplicate');
      // After the first break in syntax the rest are its echoes.
      return refused(...doubles, ...faults.filter(({ keyword }) => keyword !== 'duplicate').slice(0, 1));
    }
    return documentOf(parsed.toJS({ maxAliasCount: MAX_ALIASES }));
  } catch (error) {
    // Two things throw here: an alias bomb, and a text so deep that the reader's stack ends.
    const [vi, en] =
      error instanceof ReferenceError
        ? ['dùng quá nhiều bí danh YAML', 'too many YAML aliases']
        : ['tài liệu lồng quá sâu', 'the document nests too deeply'];
    return refused(fault('', error instanceof ReferenceError ? 'alias' : 'depth', vi, en));
  }
}

function dialectOf(version: unknown): Dialect | null {
  if (typeof version !== 'string') return null;
  if (/^3\.0\.[0-9]+$/.test(version)) return '3.0';
  return /^3\.1\.[0-9]+$/.test(version) ? '3.1' : null;
}

/** A document that was parsed elsewhere. */
export function documentOf(value: unknown): ParsedDocument {
  if (!isObject(value)) {
    return refused(fault('', 'type', 'tài liệu phải là một đối tượng', 'the document must be an object'));
  }
  const copier = new PlainCopy();
  const root = copier.copy(value, '', 0) as JsonObject;
  if (copier.faults.size > 0) return refused(...copier.faults.all());
  const dialect = dialectOf(root['openapi']);
  if (dialect === null) {
    const vi = 'chỉ nhận OpenAPI 3.0.x hoặc 3.1.x';
    return refused(fault(pointerOf('openapi'), 'version', vi, 'only OpenAPI 3.0.x and 3.1.x are accepted'));
  }
  return { document: new ApiDocument(root, dialect), faults: [] };
}

/** Copies to plain JSON: aliases no longer share objects, and what JSON cannot hold is a fault. */
class PlainCopy {
  readonly faults = new FaultList();
  #nodes = 0;

  copy(value: unknown, pointer: string, depth: number): unknown {
    this.#nodes += 1;
    if (this.#nodes > MAX_DOCUMENT_NODES) {
      this.faults.add('', 'size', 'tài liệu có quá nhiều phần tử', 'the document has too many elements');
      return null;
    }
    if (depth > MAX_DOCUMENT_DEPTH) {
      this.faults.add(pointer, 'depth', 'tài liệu lồng quá sâu', 'the document nests too deeply');
      return null;
    }
    if (Array.isArray(value)) return value.map((item, i) => this.copy(item, `${pointer}/${i}`, depth + 1));
    if (isObject(value)) return this.#object(value, pointer, depth);
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    this.faults.add(
      pointer,
      'type',
      'giá trị không biểu diễn được bằng JSON',
      'the value cannot be said in JSON',
    );
    return null;
  }

  #object(value: JsonObject, pointer: string, depth: number): JsonObject {
    const copied: Record<string, unknown> = {};
    for (const [name, inner] of Object.entries(value)) {
      const place = pointer + pointerOf(name);
      if (name === '__proto__')
        this.faults.add(place, 'prototype', 'tên này bị cấm', 'this name is not allowed');
      else copied[name] = this.copy(inner, place, depth + 1);
    }
    return copied;
  }
}
