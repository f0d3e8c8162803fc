import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import canonicalizeModule from 'canonicalize';
import fc from 'fast-check';
import { canonicalJson, canonicalRecord } from '../../gateway/audit/canonical.js';
import type { AuditRecord } from '../../gateway/audit/record.js';
import { PACKAGE_ROOT } from '../../gateway/base/package-root.js';
import { aRecord } from './records.js';

const canonicalize = canonicalizeModule as unknown as (value: unknown) => string;

const VIETNAMESE = fc.constantFrom(
  'Ủy ban nhân dân xã Pu Sam Cáp',
  'Đăng ký hộ tịch – khai sinh',
  'Sở Nội vụ\u2028\u2029',
  'chữ\n"trong ngoặc"\\\t\u0000\u001f\u007f',
  'dấu tách rời: e\u0302\u0301',
  '\u{1F600}\u{20000}',
);
const text = fc.oneof(VIETNAMESE, fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));
const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(-0, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 333333333.33333329, 9007199254740993),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(text, fc.constantFrom('10', '9', 'a', 'A', 'é', '€', '\u{1F600}', '\ufb33')),
      tie('value'),
      {
        maxKeys: 6,
      },
    ),
  ),
})).value;

const record: fc.Arbitrary<AuditRecord> = fc
  .record(
    {
      agency: text,
      system: text,
      user: text,
      case: text,
      address: text,
      tokenId: text,
      keyId: text,
      boundTo: text,
      provider: text,
      service: text,
      version: text,
      operation: text,
      sharing: text,
      method: text,
      path: text,
      grant: text,
      stage: text,
      code: text,
      trace: text,
      node: text,
      opening: text,
      released: text,
      requestSha256: text,
      responseSha256: text,
      sourceMs: number,
      status: number,
      bytesIn: number,
      bytesOut: number,
      subjects: fc.array(text),
      subjectsLeftOut: number,
      success: fc.boolean(),
      outcome: fc.constantFrom('answered', 'refused', 'failed', 'aborted'),
    },
    { requiredKeys: [] },
  )
  .map((parts) => ({ ...aRecord(), ...parts }));
const act = fc
  .tuple(
    record,
    fc.record({ noun: text, key: text, before: json, after: json }, { requiredKeys: ['noun', 'key'] }),
  )
  .map(([base, target]) => ({ ...base, target }));

describe('the canonical form of a record', () => {
  it('is that of the reference implementation for the record of a call', () => {
    fc.assert(
      fc.property(record, (one) => assert.equal(canonicalRecord(one), canonicalize(one))),
      { numRuns: 500 },
    );
  });

  it('is that of the reference implementation for an act with whatever it changed', () => {
    fc.assert(
      fc.property(act, (one) => assert.equal(canonicalRecord(one), canonicalize(one))),
      { numRuns: 500 },
    );
  });

  it('is the same whatever the order of the members, and survives being read and written again', () => {
    fc.assert(
      fc.property(act, (one) => {
        const turned = Object.fromEntries(Object.entries(one).reverse()) as unknown as AuditRecord;
        const leaf = canonicalRecord(one);
        assert.equal(canonicalRecord(turned), leaf);
        assert.equal(canonicalRecord(JSON.parse(leaf) as AuditRecord), leaf);
      }),
      { numRuns: 200 },
    );
  });

  it('holds every member that a record may have', () => {
    const source = readFileSync(join(PACKAGE_ROOT, 'gateway', 'audit', 'record.ts'), 'utf8');
    const shape = source.slice(source.indexOf('interface AuditRecord'), source.indexOf('\n}\n'));
    const members = [...shape.matchAll(/^ {2}(\w+)\??:/gm)].map(([, name = '']) => name);
    assert.ok(members.length > 30);
    const whole = Object.fromEntries(members.filter((name) => name !== 'target').map((name) => [name, 1]));
    const leaf = canonicalRecord(whole as unknown as AuditRecord);
    assert.deepEqual(Object.keys(JSON.parse(leaf) as object), Object.keys(whole).sort());
  });

  it('sorts by UTF-16 code units and writes numbers as RFC 8785 shows', () => {
    // RFC 8785 3.2.2 and 3.2.3
    assert.equal(
      canonicalJson(
        JSON.parse(
          '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"literals":[null,true,false]}',
        ),
      ),
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}',
    );
    const keys = {
      '\u20ac': 1,
      '\r': 2,
      '\ufb33': 3,
      '1': 4,
      '\u{1F600}': 5,
      '\u0080': 6,
      '\u00f6': 7,
      '10': 8,
      '9': 9,
    };
    assert.equal(
      canonicalJson(keys),
      '{"\\r":2,"1":4,"10":8,"9":9,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1F600}":5,"\ufb33":3}',
    );
  });

  it('keeps a member called __proto__ as any other', () => {
    const odd = JSON.parse('{"b":1,"__proto__":{"x":2},"constructor":3}') as unknown;
    assert.equal(canonicalJson(odd), '{"__proto__":{"x":2},"b":1,"constructor":3}');
  });

  const strays: readonly [name: string, change: Partial<AuditRecord>, kept: string][] = [
    ['in a call', { user: 'a\ud800b' }, 'a\ufffdb'],
    ['at the end', { case: 'x\udbff' }, 'x\ufffd'],
    ['in an act', { target: { noun: 'n\udc00', key: 'k' } }, 'n\ufffd'],
  ];
  for (const [name, change, kept] of strays) {
    it(`makes a lone surrogate well-formed ${name}`, () => {
      const leaf = canonicalRecord({ ...aRecord(), ...change });
      assert.ok(leaf.includes(kept) && !leaf.includes('\\ud'), leaf);
      assert.equal(Buffer.from(leaf).toString(), leaf);
    });
  }

  it('leaves text that only looks like an escaped surrogate as it is', () => {
    const leaf = canonicalRecord({ ...aRecord(), user: String.raw`a\ud800` });
    assert.equal((JSON.parse(leaf) as AuditRecord).user, String.raw`a\ud800`);
  });

  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    it(`refuses ${value}, which JSON has no number for`, () => {
      for (const field of ['status', 'sourceMs', 'bytesIn', 'bytesOut'] as const)
        assert.throws(() => canonicalRecord({ ...aRecord(), [field]: value }), TypeError);
      assert.throws(
        () => canonicalRecord({ ...aRecord(), target: { noun: 'n', key: 'k', after: value } }),
        TypeError,
      );
    });
  }

  it('leaves absent members out', () => {
    const bare = { ...aRecord(), agency: undefined, target: undefined } as unknown as AuditRecord;
    assert.ok(!canonicalRecord(bare).includes('agency'));
    assert.ok(!canonicalRecord(bare).includes('null'));
  });
});
