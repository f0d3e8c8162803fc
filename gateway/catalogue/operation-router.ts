import createRouter, { type HTTPMethod, type HTTPVersion, type Instance } from 'find-my-way';
import { malformed } from './request-reader.js';
import { templateNames } from './operation-source.js';

/** A longer path parameter matches nothing. */
const MAX_PARAMETER = 2048;

export interface Routed<T> {
  readonly target: T;
  /** Decoded once; an encoded slash stays inside its parameter. */
  readonly params: Readonly<Record<string, string>>;
}

interface Route<T> {
  readonly target: T;
  readonly names: readonly string[];
}

const noop = (): void => undefined;

/** `/a/{id}.pdf` in the words of find-my-way. Parameters are numbered: their names may hold what it reads as syntax. */
export function routePattern(template: string): string {
  let number = 0;
  return template
    .split(/(\{[^{}]*\})/)
    .map((part) => (part.startsWith('{') ? `:p${number++}` : decodeURI(part).replaceAll(':', '::')))
    .join('');
}

/**
 * One segment holds one parameter at most, with `.` or `-` before any text behind it; whatever find-my-way would read as a wildcard or an expression is
 * refused.
 */
export function isRoutable(template: string): boolean {
  if (!/^\/(?:[^?#*()\\\s{}]|\{[^{}/?#]+\})*$/.test(template)) return false;
  if (template.split('/').some((segment) => templateNames(segment).length > 1)) return false;
  if (/\}[^/.-]/.test(template)) return false;
  try {
    return decodeURI(template) !== '';
  } catch {
    return false;
  }
}

/** Values that a source's URL would read as a way up, and bytes that no name holds. */
function isDangerous(value: string): boolean {
  return value === '' || value === '.' || value === '..' || /[\u0000-\u001f\u007f]/.test(value);
}

/** The paths of one service. Looking one up costs what the path is long. */
export class OperationRouter<T> {
  readonly #router: Instance<HTTPVersion.V1>;
  readonly #methods = new Set<string>();

  constructor() {
    this.#router = createRouter({
      caseSensitive: true,
      ignoreTrailingSlash: false,
      maxParamLength: MAX_PARAMETER,
    });
  }

  add(method: string, template: string, target: T): void {
    const route: Route<T> = { target, names: templateNames(template) };
    this.#router.on(method as HTTPMethod, routePattern(template), noop, route);
    this.#methods.add(method);
  }

  /**
   * @returns the target, or the methods that this path has instead, or null when it has none
   * @throws Problem `request_malformed` for a path that cannot be decoded
   */
  find(method: string, path: string): Routed<T> | { readonly allow: readonly string[] } | null {
    assertReadable(path);
    const found = this.#methods.has(method) ? this.#router.find(method as HTTPMethod, path) : null;
    if (found !== null) return routed(found.store as Route<T>, found.params);
    const allow = [...this.#methods].filter((other) => this.#router.find(other as HTTPMethod, path) !== null);
    return allow.length === 0 ? null : { allow: allow.sort() };
  }
}

function assertReadable(path: string): void {
  if (!path.includes('%') && !path.includes('#') && !path.includes('?')) return;
  try {
    if (/[#?]/.test(path)) throw new URIError('not a path');
    decodeURIComponent(path);
  } catch {
    throw malformed('/path', 'percentEncoding', {
      vi: 'đường dẫn mã hóa phần trăm (%) không đúng',
      en: 'the path is not encoded properly',
    });
  }
}

function routed<T>(route: Route<T>, found: Readonly<Record<string, string | undefined>>): Routed<T> | null {
  const params: Record<string, string> = {};
  for (const [i, name] of route.names.entries()) {
    const value = found[`p${i}`] ?? '';
    if (value === '') return null;
    if (isDangerous(value)) {
      throw malformed(`/path/${name}`, 'characters', {
        vi: 'giá trị này không được dùng trong đường dẫn',
        en: 'this value is not allowed in a path',
      });
    }
    params[name] = value;
  }
  return { target: route.target, params };
}
