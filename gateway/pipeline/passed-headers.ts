/** Headers that describe a representation. Whatever else a source says stays inside, unless the contract declares it. */
const REPRESENTATION = new Set([
  'content-type',
  'content-language',
  'content-disposition',
  'content-location',
  'location',
  'etag',
  'last-modified',
  'expires',
  'cache-control',
  'vary',
  // Ours: a connector says that a list was cut at its limit.
  'lgsp-truncated',
]);

/** Never passed on, even when a contract declares them: they belong to the gateway or to one connection. */
const OURS = new Set([
  'set-cookie',
  'connection',
  'transfer-encoding',
  'content-length',
  'x-request-id',
  'lgsp-record',
  'lgsp-sandbox',
]);

export function passedHeaders(
  source: Readonly<Record<string, string>>,
  declared: ReadonlySet<string>,
): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name in source) {
    const value = source[name];
    if (value !== undefined && !OURS.has(name) && (REPRESENTATION.has(name) || declared.has(name)))
      passed[name] = value;
  }
  return passed;
}
