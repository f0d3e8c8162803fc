import type { AuditRecord } from '../audit/record.js';
import { messageId, severityOf } from './entry.js';

/** In the header a bar ends a field; nothing may end the line. */
export function headerText(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\|]/g, '\\$&');
}

/** In a value an equals sign would begin another; lines are written as `\n` and `\r`. */
export function valueText(text: string): string {
  return text.replace(/[\\=]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r');
}

const CEF_SEVERITY = { 2: 9, 4: 6, 5: 4, 6: 2 } as const;

type Pair = readonly [key: string, value: string | number | undefined];

function source(address: string | undefined): Pair[] {
  if (address === undefined) return [];
  if (!address.includes(':')) return [['src', address]];
  return [
    ['c6a2', address],
    ['c6a2Label', 'Source IPv6 Address'],
  ];
}

function custom(n: number, label: string, value: string | undefined): Pair[] {
  return value === undefined
    ? []
    : [
        [`cs${n}`, value],
        [`cs${n}Label`, label],
      ];
}

function pairsOf(record: AuditRecord, seq: number): Pair[] {
  const { provider, service, version } = record;
  const called = service === undefined ? undefined : `${provider ?? ''}/${service}/${version ?? ''}`;
  return [
    ['rt', Date.parse(record.received)],
    ['externalId', record.id],
    ['cn1', seq],
    ['cn1Label', 'index'],
    ...source(record.address),
    ['suser', record.user],
    ['sproc', record.system],
    ['act', record.operation],
    ['outcome', record.outcome],
    ['reason', record.code],
    ['requestMethod', record.method],
    ['request', record.path],
    ['in', record.bytesIn],
    ['out', record.bytesOut],
    ...custom(1, 'agency', record.agency),
    ...custom(2, 'service', called),
    ...custom(3, 'grant', record.grant),
    ...custom(4, 'case', record.case),
    ...custom(5, 'trace', record.trace),
    ...custom(
      6,
      'target',
      record.target === undefined ? undefined : `${record.target.noun} ${record.target.key}`,
    ),
    ['msg', eventText(record)],
  ];
}

/** What a security event or a count of refusals says; before and after of other acts stay in the record. */
function eventText({ target }: AuditRecord): string | undefined {
  if (target?.noun !== 'security_event' && target?.noun !== 'refusals') return undefined;
  return JSON.stringify(target.after);
}

/** A record in the Common Event Format, version 0. */
export function cef(record: AuditRecord, seq: number): string {
  const name = [record.plane, messageId(record), record.code ?? record.outcome].filter(Boolean).join(' ');
  const header = ['LGSP', 'lgsp-gateway', '1', record.code ?? messageId(record), name].map(headerText);
  const extension = pairsOf(record, seq)
    .filter((pair): pair is readonly [string, string | number] => pair[1] !== undefined)
    .map(([key, value]) => `${key}=${valueText(String(value))}`)
    .join(' ');
  return `CEF:0|${header.join('|')}|${CEF_SEVERITY[severityOf(record)]}|${extension}`;
}
