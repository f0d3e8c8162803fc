import type { AuditRecord } from './record.js';

/**
 * The RFC 8785 form of any JSON value. What JSON cannot carry is treated as `JSON.stringify` treats it (an
 * undefined member is left out, a date is its string), except that a number that is not finite is refused and
 * a lone surrogate becomes U+FFFD, since neither has a canonical form.
 *
 * @throws TypeError for NaN and the infinities, functions' results aside
 */
export function canonicalJson(value: unknown): string {
  return serialise(value) ?? 'null';
}

function serialise(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError('a number that is not finite has no canonical form');
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      return value === null ? 'null' : serialiseObject(value);
    case 'bigint':
      throw new TypeError('a bigint has no canonical form');
    default:
      return undefined;
  }
}

function serialiseObject(value: object): string | undefined {
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return serialise((value as { toJSON(): unknown }).toJSON());
  }
  if (Array.isArray(value)) return `[${value.map((item) => serialise(item) ?? 'null').join(',')}]`;
  const members: string[] = [];
  // The default order of `sort` is that of UTF-16 code units, which RFC 8785 3.2.3 asks for.
  for (const name of Object.keys(value).sort()) {
    const text = serialise((value as Record<string, unknown>)[name]);
    if (text !== undefined) members.push(`${quote(name)}:${text}`);
  }
  return `{${members.join(',')}}`;
}

/** ECMAScript's own quoting is that of RFC 8785 3.2.2.2, but for lone surrogates, which it escapes. */
function quote(text: string): string {
  const quoted = JSON.stringify(text);
  return quoted.includes('\\ud') ? JSON.stringify(wellFormed(text)) : quoted;
}

/** Replaces lone surrogates by U+FFFD, as every encoder of UTF-8 does. */
export function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

/**
 * The leaf of a record. The members of a call's record are known and flat, so one native `JSON.stringify` of
 * a copy in canonical order does it; only what that cannot get right goes the long way round.
 *
 * @throws TypeError when the record holds a number that is not finite
 */
export function canonicalRecord(record: AuditRecord): string {
  if (record.target !== undefined) return canonicalJson(record);
  if (
    !finite(record.sourceMs) ||
    !finite(record.status) ||
    !finite(record.subjectsLeftOut) ||
    !finite(record.bytesIn) ||
    !finite(record.bytesOut)
  ) {
    throw new TypeError('a number that is not finite has no canonical form');
  }
  const text = JSON.stringify(inOrder(record));
  return text.includes('\\ud') ? canonicalJson(record) : text;
}

function finite(value: number | undefined): boolean {
  return value === undefined || Number.isFinite(value);
}

/** `JSON.stringify` leaves undefined members out and keeps the order in which members were made. */
function inOrder(r: AuditRecord): Record<Exclude<keyof AuditRecord, 'target'>, unknown> {
  return {
    address: r.address,
    agency: r.agency,
    boundTo: r.boundTo,
    bytesIn: r.bytesIn,
    bytesOut: r.bytesOut,
    case: r.case,
    claimed: r.claimed,
    code: r.code,
    disclosed: r.disclosed,
    grant: r.grant,
    id: r.id,
    keyId: r.keyId,
    kind: r.kind,
    method: r.method,
    node: r.node,
    opening: r.opening,
    operation: r.operation,
    outcome: r.outcome,
    path: r.path,
    plane: r.plane,
    provider: r.provider,
    reason: r.reason,
    received: r.received,
    released: r.released,
    requestSha256: r.requestSha256,
    responseSha256: r.responseSha256,
    service: r.service,
    sharing: r.sharing,
    sourceMs: r.sourceMs,
    stage: r.stage,
    status: r.status,
    subjects: r.subjects,
    subjectsLeftOut: r.subjectsLeftOut,
    success: r.success,
    system: r.system,
    tokenId: r.tokenId,
    trace: r.trace,
    user: r.user,
    v: r.v,
    version: r.version,
  };
}
