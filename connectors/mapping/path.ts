import { MISSING } from './conversion.js';

/** The steps of a dotted (`a.b.0`) or pointer (`/a/b/0`) expression; '' and '.' are the value itself. */
export function parsePath(expression: string): readonly string[] {
  if (expression === '' || expression === '.') return [];
  if (!expression.startsWith('/')) return expression.split('.');
  return expression
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function toPointer(steps: readonly string[]): string {
  return steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Follows own properties only: `constructor` or `__proto__` in an expression must not reach the language's objects. */
export function valueAt(root: unknown, steps: readonly string[]): unknown {
  let current = root;
  for (const step of steps) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return MISSING;
    if (Array.isArray(current) && !/^\d+$/.test(step)) return MISSING;
    current = (current as Record<string, unknown>)[step];
  }
  return current === undefined ? MISSING : current;
}
