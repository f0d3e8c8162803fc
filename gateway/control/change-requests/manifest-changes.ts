/** One place of a manifest that a change would alter; absent where there was, or will be, nothing. */
export interface ManifestChange {
  readonly pointer: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** A list longer than this nobody reads; the manifest itself can be read by revision. */
export const MOST_CHANGES = 500;
const HIDDEN = '•••';
const SECRET_NAME =
  /pass(word|wd|phrase)?$|secret|token|api[-_]?key|authorization|cookie|credential|mat[-_]?khau|private/i;
/** A text that is nothing but references to sealed credentials, with a scheme before them. */
const REFERENCE = /^(?:[A-Za-z]+ )?(?:\{[A-Za-z0-9_.-]+\})+$/;
const USERINFO = /(\/\/)[^/@\s]+@/g;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/**
 * A value as it may be shown. Secrets belong into credentials, of which a manifest holds the names only; should one
 * have strayed into it all the same, it is not spread further here.
 */
function shown(value: unknown, name: string): unknown {
  if (typeof value === 'string') {
    if (SECRET_NAME.test(name) && !REFERENCE.test(value)) return HIDDEN;
    return value.replaceAll(USERINFO, `$1${HIDDEN}@`);
  }
  if (Array.isArray(value)) return value.map((item) => shown(item, name));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shown(part, key)]));
}

const step = (pointer: string, key: string): string =>
  `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;

function compare(
  before: unknown,
  after: unknown,
  at: { pointer: string; name: string },
  found: ManifestChange[],
): void {
  if (found.length >= MOST_CHANGES || Object.is(before, after)) return;
  if (isObject(before) && isObject(after) && Array.isArray(before) === Array.isArray(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    for (const key of keys) {
      const name = Array.isArray(before) ? at.name : key;
      const inner = { pointer: step(at.pointer, key), name };
      const [old, now] = [before, after].map((part) => (Object.hasOwn(part, key) ? part[key] : undefined));
      compare(old, now, inner, found);
    }
    return;
  }
  found.push({
    pointer: at.pointer,
    ...(before === undefined ? {} : { before: shown(before, at.name) }),
    ...(after === undefined ? {} : { after: shown(after, at.name) }),
  });
}

/** The smallest places at which two manifests differ, in their order, by RFC 6901 pointer. */
export function manifestChanges(before: unknown, after: unknown): ManifestChange[] {
  const found: ManifestChange[] = [];
  compare(before ?? undefined, after ?? undefined, { pointer: '', name: '' }, found);
  return found;
}
