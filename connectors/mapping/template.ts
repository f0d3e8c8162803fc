import { z } from 'zod';
import { type ConversionName, convert, isConversion, MISSING } from './conversion.js';
import { MappingFault } from './fault.js';
import { parsePath, toPointer, valueAt } from './path.js';

/** What a request-side template or mapping may read. */
export interface RequestScope {
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  /** Lower-cased names. */
  readonly header: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  readonly caller: Readonly<Record<string, string | null>>;
  readonly request: { readonly id: string };
  readonly credential: Readonly<Record<string, string>>;
}

export const CALLER_PARTS = ['agency', 'system', 'user', 'case'] as const;
const ROOTS = ['path', 'query', 'header', 'body', 'caller', 'request', 'credential'] as const;
export type SourceRoot = (typeof ROOTS)[number];

/** One value of the request: `query.ten`, `body./a/b`, `caller.user`. */
export interface Source {
  readonly root: SourceRoot;
  /** Below the root: one name, or the steps into the body. */
  readonly steps: readonly string[];
}

export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** @throws TemplateError when the expression names nothing that a request has */
export function parseSource(expression: string): Source {
  const dot = expression.indexOf('.');
  const root = (dot === -1 ? expression : expression.slice(0, dot)) as SourceRoot;
  const rest = dot === -1 ? '' : expression.slice(dot + 1);
  if (!ROOTS.includes(root)) throw new TemplateError(`no such source: ${expression}`);
  if (root === 'body') return { root, steps: parsePath(rest) };
  if (rest === '') throw new TemplateError(`${expression} names no value`);
  if (root === 'caller' && !(CALLER_PARTS as readonly string[]).includes(rest))
    throw new TemplateError(`a caller has ${CALLER_PARTS.join(', ')}`);
  if (root === 'request' && rest !== 'id') throw new TemplateError('a request has an id');
  return { root, steps: [root === 'header' ? rest.toLowerCase() : rest] };
}

export function readSource(scope: RequestScope, source: Source): unknown {
  return valueAt(scope[source.root], source.steps);
}

export function sourcePointer(source: Source): string {
  return toPointer([source.root, ...source.steps]);
}

interface Placeholder {
  readonly source: Source;
  readonly conversions: readonly ConversionName[];
}

/** Text with `{source}` or `{source|conversion|…}` in it, split up once. */
export interface Template {
  readonly parts: readonly (string | Placeholder)[];
  readonly sources: readonly Source[];
}

function parsePlaceholder(inner: string): Placeholder {
  const [expression = '', ...names] = inner.split('|').map((part) => part.trim());
  const conversions = names.map((name) => {
    if (!isConversion(name)) throw new TemplateError(`no such conversion: ${name}`);
    return name;
  });
  return { source: parseSource(expression), conversions };
}

/**
 * @example parseTemplate('/ho-so/{path.maHoSo}/ngay/{query.ngay|compact-date}')
 * @throws TemplateError on an unknown source or conversion, or a brace without its pair
 */
export function parseTemplate(text: string): Template {
  const parts: (string | Placeholder)[] = [];
  let rest = text;
  while (rest !== '') {
    const found = /^([^{}]*)(?:\{([^{}]*)\})?/.exec(rest);
    const literal = found?.[1] ?? '';
    if (literal !== '') parts.push(literal);
    if (found?.[2] !== undefined) parts.push(parsePlaceholder(found[2]));
    const used = found?.[0].length ?? 0;
    if (used === 0) throw new TemplateError('a brace without its pair');
    rest = rest.slice(used);
  }
  return { parts, sources: parts.filter((part) => typeof part !== 'string').map((part) => part.source) };
}

/** @throws MappingFault for lists and objects */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  throw new MappingFault('scalar');
}

/**
 * Fills a template in; `encode` sees each value, never the literal text.
 *
 * @returns null when a value is missing or null
 * @throws MappingFault with the pointer of the source whose value does not fit
 */
export function render(
  template: Template,
  scope: RequestScope,
  encode: (value: string) => string,
): string | null {
  let made = '';
  for (const part of template.parts) {
    if (typeof part === 'string') {
      made += part;
      continue;
    }
    try {
      const value = convert(readSource(scope, part.source), part.conversions);
      if (value === MISSING || value === null) return null;
      made += encode(asText(value));
    } catch (error) {
      throw error instanceof MappingFault ? error.within(sourcePointer(part.source)) : error;
    }
  }
  return made;
}

const NO_CALL: RequestScope = {
  path: {},
  query: {},
  header: {},
  body: undefined,
  caller: {},
  request: { id: '' },
  credential: {},
};

/**
 * Fills in a template that rests on credentials alone.
 *
 * @throws TemplateError when a credential that is named is not there
 */
export function credentialText(template: Template, credentials: Readonly<Record<string, string>>): string {
  const text = render(template, { ...NO_CALL, credential: credentials }, (value) => value);
  if (text === null) throw new TemplateError('a credential is missing');
  return text;
}

/** A template in a manifest: checked for its grammar here, for its names in the connector's `check`. */
export const TemplateSchema = z
  .string()
  .max(4096)
  .superRefine((text, context) => {
    try {
      parseTemplate(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'template' });
    }
  })
  .describe(
    'Text with {path.x}, {query.x}, {header.x}, {body./pointer}, {caller.x}, {request.id}, {credential.x}',
  );
