import { hostname } from 'node:os';
import type { AuditRecord } from '../audit/record.js';
import type { SyslogSink } from '../base/config-feed.js';
import { cef } from './cef.js';
import { type Entry, messageId, severityOf } from './entry.js';

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** RFC 5424 6.3.3: within a value these three are escaped, and nothing else. */
export function paramValue(text: string): string {
  return text.replace(/["\\\]]/g, '\\$&');
}

/** What a header field may hold: printable ASCII, so long and no longer; a dash for nothing. */
export function headerField(text: string, most: number): string {
  const field = text.replace(/[^!-~]/g, '').slice(0, most);
  return field === '' ? '-' : field;
}

/** JSON in ASCII, so that no receiver has to agree about an encoding. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const FLAT = [
  'plane',
  'outcome',
  'code',
  'reason',
  'stage',
  'status',
  'agency',
  'system',
  'user',
  'case',
  'address',
  'provider',
  'service',
  'version',
  'operation',
  'method',
  'path',
  'grant',
  'sharing',
  'sourceMs',
  'bytesIn',
  'bytesOut',
  'tokenId',
  'keyId',
  'trace',
  'opening',
] as const satisfies readonly (keyof AuditRecord)[];

function structuredData(record: AuditRecord, seq: number, sink: SyslogSink): string {
  const params: [string, string][] = [
    ['id', record.id],
    ['index', String(seq)],
  ];
  if (sink.format === 'structured') {
    for (const name of FLAT) if (record[name] !== undefined) params.push([name, String(record[name])]);
    if (record.target !== undefined) {
      params.push(['noun', record.target.noun], ['key', record.target.key]);
      if (record.target.after !== undefined) params.push(['after', asciiJson(record.target.after)]);
    }
  }
  const pairs = params.map(([name, value]) => ` ${name}="${paramValue(value)}"`).join('');
  return `[lgsp@${sink.enterpriseId}${pairs}]`;
}

function bodyOf(record: AuditRecord, seq: number, { format }: SyslogSink): string {
  if (format === 'structured') return '';
  return format === 'cef' ? cef(record, seq) : asciiJson({ ...record, index: seq });
}

function headerOf(
  record: AuditRecord,
  { facility, hostname: host = hostname(), appName }: SyslogSink,
): string {
  const priority = facility * 8 + severityOf(record);
  const names = `${headerField(host, 255)} ${headerField(appName, 48)} -`;
  return `<${priority}>1 ${record.received} ${names} ${messageId(record) || '-'}`;
}

const isAscii = (text: string): boolean => !/[^\u0000-\u007f]/.test(text);

function messageOf(record: AuditRecord, seq: number, sink: SyslogSink): Buffer {
  const head = `${headerOf(record, sink)} ${structuredData(record, seq, sink)}`;
  const body = bodyOf(record, seq, sink);
  if (body === '') return Buffer.from(head);
  const mark = sink.bom && !isAscii(body) ? BOM : Buffer.alloc(0);
  return Buffer.concat([Buffer.from(`${head} `), mark, Buffer.from(body)]);
}

/** What a change was is the longest part of a record, and stands in the log. */
function shortened(record: AuditRecord): AuditRecord {
  const { target, disclosed: _, ...rest } = record;
  if (target === undefined) return rest;
  return { ...rest, target: { noun: target.noun, key: target.key, after: { leftOut: true } } };
}

/**
 * A record as one RFC 5424 message, led by its length in octets (RFC 6587 3.4.1, RFC 5425 4.3).
 *
 * A message longer than the sink takes goes without what the record says of a change; nothing is cut in the middle.
 */
export function framed({ leaf, seq }: Entry, sink: SyslogSink): Buffer {
  const record = JSON.parse(leaf) as AuditRecord;
  const whole = messageOf(record, seq, sink);
  const message = whole.length <= sink.maxBytes ? whole : messageOf(shortened(record), seq, sink);
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}
