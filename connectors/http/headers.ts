/** Of one connection, never of a message (RFC 9110 §7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Set by the gateway alone: a template for one of them could split a request or pass for another host. */
const GATEWAY_ONLY: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'host',
  'content-length',
  'expect',
  'accept-encoding',
  'x-request-id',
  'traceparent',
]);

/** The caller's business with the gateway: not passed on by themselves, even when the contract declares them. */
const CALLERS_OWN: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'dpop',
  'lgsp-user',
  'lgsp-case',
]);

/** They speak of the machine behind the gateway, or of the gateway itself. */
const MACHINE: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'content-length',
  'content-encoding',
  'date',
  'server',
  'via',
  'x-powered-by',
  'x-aspnet-version',
  'x-aspnetmvc-version',
  'alt-svc',
  'strict-transport-security',
  'www-authenticate',
  'set-cookie',
  'location',
  'content-location',
  'x-request-id',
  'traceparent',
  'tracestate',
]);

/** What a manifest may ask for by name although it is left out otherwise. */
const ON_REQUEST: ReadonlySet<string> = new Set(['location', 'content-location', 'www-authenticate', 'date']);

/** They vouch for the source's bytes and so do not outlive a mapping. */
const OF_THE_BYTES: ReadonlySet<string> = new Set([
  'etag',
  'last-modified',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
  'accept-ranges',
  'content-range',
]);

export function mayTemplate(name: string): boolean {
  return !GATEWAY_ONLY.has(name.toLowerCase());
}

/** Whether a header that the contract declares is passed on to the source as it is. */
export function forwarded(name: string): boolean {
  return !GATEWAY_ONLY.has(name) && !CALLERS_OWN.has(name) && name !== 'content-type';
}

export function hasControl(value: string): boolean {
  for (let i = 0; i < value.length; i += 1) {
    const code = value.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}

export type SourceHeaders = Readonly<Record<string, string | string[] | undefined>>;

export function single(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}

/**
 * The source's end-to-end headers that are passed on.
 *
 * @param listed lower-cased names; null for all that do not speak of the machine
 * @param mapped whether the body is another than the source sent
 */
export function answerHeaders(
  source: SourceHeaders,
  listed: ReadonlySet<string> | null,
  mapped: boolean,
): Record<string, string> {
  const named = single(source['connection']).toLowerCase();
  const connection =
    named === '' || named === 'keep-alive' || named === 'close' ? null : named.split(/\s*,\s*/);
  const passed: Record<string, string> = {};
  for (const name in source) {
    const asked = listed?.has(name) ?? false;
    if (listed !== null && !asked && name !== 'content-type') continue;
    if (MACHINE.has(name) && !(asked && ON_REQUEST.has(name))) continue;
    if ((connection?.includes(name) ?? false) || (mapped && OF_THE_BYTES.has(name))) continue;
    const value = single(source[name]);
    if (!hasControl(value)) passed[name] = value;
  }
  return passed;
}
