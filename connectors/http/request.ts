import type { ConnectorRequest, OperationFacts } from '../connector.js';
import { type Conversions, conversionList, convert, MISSING } from '../mapping/conversion.js';
import { MappingFault } from '../mapping/fault.js';
import { compileMapping } from '../mapping/mapping.js';
import { fromRequest, scopeOf } from '../mapping/scope.js';
import {
  asText,
  credentialText,
  parseSource,
  parseTemplate,
  type RequestScope,
  readSource,
  render,
  sourcePointer,
  type Template,
  TemplateError,
} from '../mapping/template.js';
import { forwarded, hasControl, mayTemplate } from './headers.js';
import type { HttpBinding, HttpSettings, QueryBinding } from './settings.js';
import type { Outgoing } from './source-call.js';

type Credentials = Readonly<Record<string, string>>;
type Part<T> = (request: ConnectorRequest, scope: RequestScope) => T;

const plain = (value: string): string => value;

/** RFC 3986 for one value: `!'()*` too, which some servers treat as syntax; a lone surrogate has no encoding. */
function encodeValue(value: string): string {
  try {
    return encodeURIComponent(value).replace(
      /[!'()*]/g,
      (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  } catch {
    throw new MappingFault('encoding');
  }
}

function encodeSegment(value: string): string {
  if (value === '' || value === '.' || value === '..') throw new MappingFault('segment');
  return encodeValue(value);
}

/** In literal text; a value can never complete one, for it is not empty, not dots, and has its own `%` escaped. */
const DOT_SEGMENT = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i;

/** `{maHoSo}` of an OpenAPI path is `{path.maHoSo}` of a template. */
export function templateOfPath(pathTemplate: string): string {
  return pathTemplate.replace(/\{([^}]+)\}/g, '{path.$1}');
}

/** @throws TemplateError when literal text of a path is not path text */
export function pathTemplate(text: string): Template {
  const template = parseTemplate(text);
  if (!text.startsWith('/')) throw new TemplateError('a path begins with /');
  const literal = template.parts.map((part) => (typeof part === 'string' ? part : 'x')).join('');
  if (/[?#\\]/.test(literal)) throw new TemplateError('a path has no ?, # or \\; see query');
  if (DOT_SEGMENT.test(literal)) throw new TemplateError('a path has no . or .. segments');
  return {
    ...template,
    parts: template.parts.map((part) => (typeof part === 'string' ? unescapePercent(encodeURI(part)) : part)),
  };
}

/** encodeURI escapes `%` too, but what is already escaped in a template is meant. */
const unescapePercent = (text: string): string => text.replace(/%25([0-9a-f]{2})/gi, '%$1');

function pathPart(text: string, basePath: string): Part<string> {
  const template = pathTemplate(text);
  if (template.sources.length === 0) {
    const fixed = basePath + template.parts.filter((part) => typeof part === 'string').join('');
    return () => fixed;
  }
  return (_request, scope) => {
    const path = render(template, scope, encodeSegment);
    if (path === null)
      throw new MappingFault('required', sourcePointer(template.sources[0] ?? { root: 'path', steps: [] }));
    return basePath + path;
  };
}

function pair(name: string, value: unknown, made: string[]): void {
  if (value === undefined || value === null || value === MISSING) return;
  if (Array.isArray(value)) {
    for (const item of value) pair(name, item, made);
    return;
  }
  if (typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) pair(`${name}[${key}]`, item, made);
    return;
  }
  if (
    typeof value !== 'string' &&
    typeof value !== 'number' &&
    typeof value !== 'boolean' &&
    typeof value !== 'bigint'
  )
    throw new MappingFault('scalar');
  made.push(`${encodeValue(name)}=${encodeValue(String(value))}`);
}

function forwardedQuery(query: Readonly<Record<string, unknown>>, made: string[]): void {
  for (const name in query) pair(name, query[name], made);
}

interface SourcedValue {
  readonly from: string;
  readonly as?: Conversions | undefined;
  readonly default?: string | number | boolean | undefined;
}

function sourced(binding: SourcedValue): (scope: RequestScope) => unknown {
  const source = parseSource(binding.from);
  const conversions = conversionList(binding.as);
  const pointer = sourcePointer(source);
  return (scope) => {
    try {
      const found = convert(readSource(scope, source), conversions);
      return found === MISSING || found === null ? binding.default : found;
    } catch (error) {
      throw error instanceof MappingFault ? error.within(pointer) : error;
    }
  };
}

function queryValue(binding: QueryBinding): (scope: RequestScope) => unknown {
  if (typeof binding !== 'string') return sourced(binding);
  const template = parseTemplate(binding);
  return (scope) => render(template, scope, plain);
}

function queryPart(binding: HttpBinding): Part<string> {
  const own = Object.entries(binding.query ?? {}).map(([name, value]) => ({ name, read: queryValue(value) }));
  const forward = binding.forwardQuery ?? binding.query === undefined;
  return (request, scope) => {
    const made: string[] = [];
    if (forward) forwardedQuery(request.query, made);
    for (const { name, read } of own) pair(name, read(scope), made);
    return made.length === 0 ? '' : `?${made.join('&')}`;
  };
}

function headerText(value: string): string {
  if (hasControl(value) || /[^\x20-\x7e\t\u0080-\u00ff]/.test(value)) throw new MappingFault('header');
  return value;
}

type HeaderPart = (scope: RequestScope, into: string[]) => void;

/** A header whose text rests on credentials alone is rendered once. */
function headerPart(name: string, text: string, credentials: Credentials): HeaderPart {
  if (!mayTemplate(name)) throw new TemplateError(`${name} is set by the gateway`);
  const template = parseTemplate(text);
  if (template.sources.every((source) => source.root === 'credential')) {
    const value = credentialText(template, credentials);
    return (_scope, into) => void into.push(name, headerText(value));
  }
  return (scope, into) => {
    const value = render(template, scope, headerText);
    if (value !== null) into.push(name, headerText(value));
  };
}

function authHeader(auth: NonNullable<HttpSettings['auth']>, credentials: Credentials): string {
  const text = (template: string): string => credentialText(parseTemplate(template), credentials);
  if (auth.type === 'bearer') return `Bearer ${headerText(text(auth.token))}`;
  return `Basic ${Buffer.from(`${text(auth.username)}:${text(auth.password)}`).toString('base64')}`;
}

function headerParts(
  settings: HttpSettings,
  binding: HttpBinding,
  credentials: Credentials,
): readonly HeaderPart[] {
  const named = new Map<string, string>();
  for (const [name, text] of [...Object.entries(settings.headers), ...Object.entries(binding.headers ?? {})])
    named.set(name.toLowerCase(), text);
  const parts = [...named].map(([name, text]) => headerPart(name, text, credentials));
  if (settings.auth === undefined) return parts;
  const value = authHeader(settings.auth, credentials);
  return [...parts, (_scope, into) => void into.push('authorization', value)];
}

function declaredHeaders(
  headers: Readonly<Record<string, unknown>>,
  taken: ReadonlySet<string>,
  into: string[],
): void {
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || value === null || taken.has(name) || !forwarded(name)) continue;
    const text = Array.isArray(value) ? value.map(asText).join(',') : asText(value);
    into.push(name, headerText(text));
  }
}

interface Body {
  readonly bytes: Buffer | null;
  readonly type: string | null;
}

const NO_BODY: Body = { bytes: null, type: null };

function bodyPart(binding: HttpBinding): Part<Body> {
  if (binding.body === 'none') return () => NO_BODY;
  if (binding.body === undefined || binding.body === 'pass')
    return (request) =>
      request.body === null ? NO_BODY : { bytes: request.body, type: request.contentType };
  const map = compileMapping(binding.body);
  return (_request, scope) => {
    const made = map(scope);
    if (made === MISSING) return NO_BODY;
    return { bytes: Buffer.from(JSON.stringify(made)), type: 'application/json; charset=utf-8' };
  };
}

export type RequestWriter = (request: ConnectorRequest) => Outgoing;

/**
 * How the requests of one operation are written; everything that does not change from call to call is done here.
 *
 * @throws TemplateError when a template names what there is not
 */
export function requestWriter(
  settings: HttpSettings,
  binding: HttpBinding,
  facts: Pick<OperationFacts, 'pathTemplate'> | undefined,
  credentials: Credentials,
): RequestWriter {
  const text = binding.path ?? (facts === undefined ? undefined : templateOfPath(facts.pathTemplate));
  if (text === undefined) throw new TemplateError('an operation without a path');
  const path = pathPart(text, new URL(settings.baseUrl).pathname.replace(/\/+$/, ''));
  const query = queryPart(binding);
  const headers = headerParts(settings, binding, credentials);
  const taken = new Set(
    [...Object.keys(settings.headers), ...Object.keys(binding.headers ?? {})].map((n) => n.toLowerCase()),
  );
  if (settings.auth !== undefined) taken.add('authorization');
  const body = bodyPart(binding);
  return (request) =>
    fromRequest(() => {
      const scope = scopeOf(request, credentials);
      const { bytes, type } = body(request, scope);
      const list = [
        'x-request-id',
        request.requestId,
        'traceparent',
        request.traceparent,
        'accept-encoding',
        'identity',
      ];
      if (type !== null && !taken.has('content-type')) list.push('content-type', headerText(type));
      declaredHeaders(request.headers, taken, list);
      for (const part of headers) part(scope, list);
      return {
        method: binding.method ?? request.method,
        path: path(request, scope) + query(request, scope),
        headers: list,
        body: bytes,
      };
    });
}
