import assert from 'node:assert/strict';
import type { AuditRecord } from '../../gateway/audit/record.js';
import { canonicalRecord } from '../../gateway/audit/canonical.js';
import { loadConfig } from '../../gateway/base/config.js';
import type { SyslogSink } from '../../gateway/base/config-feed.js';
import { cef, headerText, valueText } from '../../gateway/feed/cef.js';
import { Sent } from '../../gateway/feed/sent.js';
import { pauseAfter } from '../../gateway/feed/sink-feed.js';
import { asciiJson, framed, headerField, paramValue } from '../../gateway/feed/syslog-message.js';
import { aRecord } from '../audit/records.js';
import { parseSyslog, type SyslogMessage } from '../kit/syslog-receiver.js';

function sink(change: object = {}): SyslogSink {
  const { feed } = loadConfig({
    feed: {
      sinks: [{ kind: 'syslog', name: 'soc', host: 'localhost', port: 1, hostname: 'nut-1', ...change }],
    },
  });
  return feed.sinks[0] as SyslogSink;
}

function sent(record: AuditRecord, change: object = {}): SyslogMessage {
  const bytes = framed({ seq: 7, leaf: canonicalRecord(record) }, sink(change));
  const space = bytes.indexOf(0x20);
  const message = bytes.subarray(space + 1);
  assert.equal(bytes.subarray(0, space).toString(), String(message.length), 'counts octets');
  return parseSyslog(message);
}

const event = (severity: string): AuditRecord =>
  aRecord({ kind: 'act', target: { noun: 'security_event', key: 'e', after: { severity } } });

describe('escaping', () => {
  const cases: readonly (readonly [(text: string) => string, string, string])[] = [
    [headerText, 'a|b\\c=d', 'a\\|b\\\\c=d'],
    [headerText, 'a\r\nb', 'a b'],
    [valueText, 'a=b|c\\d', 'a\\=b|c\\\\d'],
    [valueText, 'a\nb\rc', 'a\\nb\\rc'],
    [valueText, 'x\\=y', 'x\\\\\\=y'],
    [paramValue, 'a"b\\c]d[e', 'a\\"b\\\\c\\]d[e'],
    [(text) => headerField(text, 5), 'nút một', 'ntmt'],
    [(text) => headerField(text, 5), 'abcdefg', 'abcde'],
    [(text) => headerField(text, 5), 'ú', '-'],
    [asciiJson, 'Sở 😀', '"S\\u1edf \\ud83d\\ude00"'],
  ];
  for (const [escape, from, to] of cases)
    it(`${JSON.stringify(from)} → ${to}`, () => assert.equal(escape(from), to));
});

describe('a syslog message', () => {
  const severities: readonly (readonly [what: string, record: AuditRecord, priority: number])[] = [
    ['an answer', aRecord(), 13 * 8 + 6],
    ['a refusal', aRecord({ outcome: 'refused' }), 13 * 8 + 5],
    ['a failure', aRecord({ outcome: 'failed' }), 13 * 8 + 4],
    ['an act', aRecord({ kind: 'act' }), 13 * 8 + 5],
    ['a low event', event('low'), 13 * 8 + 5],
    ['a medium event', event('medium'), 13 * 8 + 4],
    ['a high event', event('high'), 13 * 8 + 2],
  ];
  for (const [what, record, priority] of severities)
    it(`has the priority of ${what}`, () => assert.equal(sent(record).priority, priority));

  it('has the facility of the settings', () => assert.equal(sent(aRecord(), { facility: 16 }).priority, 134));

  it('names host, application, kind, number and place', () => {
    const { host, app, id, data, time } = sent(aRecord(), { enterpriseId: '4711' });
    assert.deepEqual([host, app, id, time], ['nut-1', 'lgsp', 'closing', '2026-01-05T01:02:03.000Z']);
    assert.match(data, /^\[lgsp@4711 id="[0-9a-f-]{36}" index="7"\]$/);
  });

  const name = { user: 'Lò "Thị" [Mẫu]', case: 'a=b|c' };

  it('carries JSON in ASCII, and so no byte order mark', () => {
    const { body } = sent(aRecord(name));
    assert.ok(body.every((octet) => octet < 128));
    assert.deepEqual(JSON.parse(body.toString()), {
      ...aRecord(),
      ...name,
      index: 7,
      id: JSON.parse(body.toString()).id,
    });
  });

  it('carries CEF with a byte order mark where it is not ASCII, unless told otherwise', () => {
    const mark = Buffer.from([0xef, 0xbb, 0xbf]);
    assert.deepEqual(sent(aRecord(name), { format: 'cef' }).body.subarray(0, 3), mark);
    assert.equal(sent(aRecord(), { format: 'cef' }).body.subarray(0, 6).toString(), 'CEF:0|');
    assert.equal(sent(aRecord(name), { format: 'cef', bom: false }).body.subarray(0, 6).toString(), 'CEF:0|');
  });

  it('carries everything in structured data', () => {
    const { data, body } = sent(aRecord(name), { format: 'structured' });
    assert.equal(body.length, 0);
    assert.ok(Buffer.from(data, 'latin1').toString('utf8').includes('user="Lò \\"Thị\\" [Mẫu\\]"'));
  });

  it('that would be too long goes without what was changed', () => {
    const target = { noun: 'service', key: 's', before: 'x'.repeat(3000), after: 'y'.repeat(3000) };
    const { body } = sent(aRecord({ kind: 'act', target }), { maxBytes: 4096 });
    assert.deepEqual(JSON.parse(body.toString()).target, {
      noun: 'service',
      key: 's',
      after: { leftOut: true },
    });
  });
});

describe('CEF', () => {
  it('has its header, and escaped values', () => {
    const text = cef(
      aRecord({ code: 'grant_required', outcome: 'refused', case: 'a=b|c\\d', address: '203.0.113.7' }),
      3,
    );
    assert.ok(text.startsWith('CEF:0|LGSP|lgsp-gateway|1|grant_required|data closing grant_required|4|rt='));
    assert.ok(text.includes(' src=203.0.113.7 '));
    assert.ok(text.includes(' cs4=a\\=b|c\\\\d cs4Label=case'));
  });

  it('has another field for IPv6', () => {
    const text = cef(aRecord({ address: '2001:db8::1' }), 3);
    assert.ok(text.includes(' c6a2=2001:db8::1 c6a2Label=Source IPv6 Address '));
    assert.ok(!text.includes(' src='));
  });
});

describe('what was sent without an acknowledgement', () => {
  const begin = (settleMs: number, resendBytes: number) =>
    new Sent({ seq: 4, resume: 2 }, { settleMs, resendBytes });

  it('counts as received once the connection stayed sound', () => {
    const sentTo = begin(100, 0);
    sentTo.flushed(10, 500, 0);
    assert.deepEqual(sentTo.place(99), { seq: 4, resume: 2 });
    assert.deepEqual(sentTo.place(100), { seq: 10, resume: 10 });
  });

  it('is sent again as far back as buffers may reach', () => {
    const sentTo = begin(0, 100_000);
    for (let seq = 10; seq < 20; seq += 1) sentTo.flushed(seq, 20_000, 0);
    // 100,000 octets were sent after the record at 14.
    assert.deepEqual(sentTo.place(0), { seq: 19, resume: 14 });
  });

  it('never goes on from further than what was received', () => {
    const sentTo = begin(1000, 0);
    sentTo.flushed(10, 500, 0);
    sentTo.flushed(11, 500, 900);
    assert.deepEqual(sentTo.place(1000), { seq: 10, resume: 10 });
  });

  it('is all received when the other side said good-bye', () => {
    const sentTo = begin(60_000, 1_000_000);
    sentTo.flushed(10, 500, 0);
    sentTo.allReceived();
    assert.deepEqual(sentTo.place(0), { seq: 10, resume: 10 });
  });

  it('is kept in bounded memory however small the pieces are', () => {
    const sentTo = begin(0, 1_000_000);
    for (let seq = 0; seq < 100_000; seq += 1) {
      sentTo.flushed(seq, 100, 0);
      sentTo.place(0);
    }
    const { resume } = sentTo.place(0);
    assert.ok(resume <= 90_000 && resume > 89_000, String(resume));
  });
});

describe('the pause after a failure', () => {
  const cases = [
    [1, 0.5, 1000],
    [2, 0.5, 2000],
    [7, 0.5, 60_000],
    [500, 0.5, 60_000],
    [1, 0, 800],
    [1, 0.999999, 1200],
  ] as const;
  for (const [failures, random, ms] of cases)
    it(`number ${failures} at ${random}: ${ms} ms`, () =>
      assert.equal(pauseAfter(failures, 1000, random), ms));
});
