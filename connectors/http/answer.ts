import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { type ConnectorAnswer, SourceError, type SuccessRule } from '../connector.js';
import { MappingFault } from '../mapping/fault.js';
import { compileMapping } from '../mapping/mapping.js';
import { compileSuccess } from '../success.js';
import { answerHeaders, single } from './headers.js';
import type { HttpBinding } from './settings.js';
import type { RawAnswer } from './source-call.js';

const gunzipAsync = promisify(gunzip);
const inflateAsync = promisify(inflate);
const brotliAsync = promisify(brotliDecompress);

type Decoder = (body: Buffer, limits: { maxOutputLength: number }) => Promise<Buffer>;

const DECODERS: Readonly<Record<string, Decoder>> = {
  gzip: gunzipAsync,
  'x-gzip': gunzipAsync,
  deflate: inflateAsync,
  br: brotliAsync,
};

/** `Accept-Encoding: identity` was sent, but some sources compress all the same; bounded, for a small body may unfold. */
async function decoded(raw: RawAnswer, limit: number): Promise<Buffer> {
  const encodings = single(raw.headers['content-encoding'])
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  if (encodings.length === 0 || raw.body.length === 0) return raw.body;
  if (encodings.length > 2) throw new SourceError('failed', 'too many content encodings');
  let body = raw.body;
  for (const name of encodings.reverse()) {
    const decode = DECODERS[name];
    if (decode === undefined) throw new SourceError('failed', 'unknown content encoding');
    try {
      body = await decode(body, { maxOutputLength: limit });
    } catch (cause) {
      throw new SourceError('failed', 'the compressed answer could not be read', { cause });
    }
  }
  return body;
}

function parsed(body: Buffer): unknown {
  try {
    const text = body.toString('utf8');
    return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text) as unknown;
  } catch {
    return undefined;
  }
}

export type AnswerReader = (raw: RawAnswer, limit: number) => ConnectorAnswer | Promise<ConnectorAnswer>;

interface Reading {
  readonly map: ((value: unknown) => unknown) | null;
  readonly succeeds: ((value: unknown) => boolean) | null;
  readonly statuses: Readonly<Record<string, number>>;
  readonly listed: ReadonlySet<string> | null;
  readonly failure: HttpBinding['failure'];
}

function mapped(map: (value: unknown) => unknown, json: unknown, limit: number): Buffer {
  if (json === undefined) throw new SourceError('failed', 'the answer is not JSON, so it cannot be mapped');
  try {
    const body = Buffer.from(JSON.stringify(map(json)) ?? 'null');
    if (body.length > limit) throw new SourceError('failed', 'the mapped answer is too large');
    return body;
  } catch (error) {
    if (!(error instanceof MappingFault)) throw error;
    throw new SourceError('failed', `the answer does not fit the mapping: ${error.message}`);
  }
}

function read(reading: Reading, raw: RawAnswer, body: Buffer, limit: number): ConnectorAnswer {
  const fine = raw.status >= 200 && raw.status < 300;
  const map = fine && body.length > 0 ? reading.map : null;
  const json = map !== null || (fine && reading.succeeds !== null) ? parsed(body) : undefined;
  const success = reading.succeeds === null ? null : fine && reading.succeeds(json);
  if (success === false && reading.failure === 'source_failed')
    throw new SourceError('failed', 'no success by the rule of the service');
  const headers = answerHeaders(raw.headers, reading.listed, map !== null);
  if (map !== null) headers['content-type'] = 'application/json; charset=utf-8';
  return {
    status: reading.statuses[raw.status] ?? raw.status,
    headers,
    body: map === null ? body : mapped(map, json, limit),
    success,
  };
}

/**
 * How the answers of one operation are read. Without a mapping the source's bytes pass unchanged; a mapping speaks of
 * 2xx answers only, for an error has another structure. Success is judged before any mapping.
 */
export function answerReader(binding: HttpBinding, fallback: SuccessRule | undefined): AnswerReader {
  const rule = binding.success ?? fallback;
  const listed = binding.response?.headers;
  const reading: Reading = {
    map: binding.response?.body === undefined ? null : compileMapping(binding.response.body),
    succeeds: rule === undefined ? null : compileSuccess(rule),
    statuses: binding.response?.status ?? {},
    listed: listed === undefined ? null : new Set(listed.map((name) => name.toLowerCase())),
    failure: binding.failure,
  };
  return (raw, limit) => {
    if (raw.headers['content-encoding'] === undefined) return read(reading, raw, raw.body, limit);
    return decoded(raw, limit).then((body) => read(reading, raw, body, limit));
  };
}
