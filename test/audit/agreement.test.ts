import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import fc from 'fast-check';
import type { Knex } from 'knex';
import { canonicalRecord } from '../../gateway/audit/canonical.js';
import { COLUMN_NAMES, columnsOf, subjectsOf } from '../../gateway/audit/columns.js';
import type { AuditRecord } from '../../gateway/audit/record.js';
import { leafHash } from '../../gateway/audit/tree.js';
import { type CheckedChunk, checkChunk } from '../../gateway/audit/verify/chunk.js';
import { checkJoined } from '../../gateway/audit/verify/joined-chunk.js';
import type { LogReader } from '../../gateway/audit/verify/log-reader.js';
import { openLogReader } from '../../gateway/audit/verify/read-log.js';
import { embedded, type TestDatabase } from '../kit/databases.js';
import { insertRecords } from './bulk.js';
import { tamper } from './log.js';
import { aRecord, T0 } from './records.js';

const at = (i: number): Pick<AuditRecord, 'id'> => ({
  id: `019b8b1e-0000-7000-8000-${String(i).padStart(12, '0')}`,
});

/** Records of every shape that the product writes. */
const SHAPES: readonly Partial<AuditRecord>[] = [
  {},
  {
    user: 'cb-000123',
    case: 'HS-1',
    grant: 'pd-2026-0001',
    trace: 'a'.repeat(32),
    sourceMs: 12.5,
    node: 'nut-1',
  },
  { subjects: ['k:citizen:a', 'k:citizen:b'] },
  { subjects: [], disclosed: ['hoTen', 'ngaySinh'], subjectsLeftOut: 1 },
  { user: 'cán bộ Điện Biên', reason: 'đúng thẩm quyền' },
  { user: 'x'.repeat(128), case: 'ă'.repeat(128) },
  { user: 'x'.repeat(129) },
  { case: 'ă'.repeat(400) },
  { user: 'a "quoted" \\ name', case: 'tab\tand\nline', code: '' },
  { user: 'NUL \u0000, record \u001e and unit \u001f', case: 'lone \ud800' },
  { kind: 'opening', opening: '019b8b1e-0000-7000-8000-000000000000' },
  { user: 'lone \ud800 inside' },
  { outcome: 'refused', code: 'token_invalid', status: 401, claimed: { client: 'c', issuer: 'i', kid: 'k' } },
  { kind: 'act', plane: 'system', target: { noun: 'grant', key: 'pd-1', after: { a: [1, 'x}\n['] } } },
  { agency: 'null' },
];

const RECORDS = SHAPES.map((change, i) => aRecord({ ...change, ...at(i) }));
const SIZE = RECORDS.length;
const KEYS: readonly never[] = [];

async function both(reader: LogReader): Promise<{ quick: CheckedChunk | null; slow: CheckedChunk }> {
  assert.ok(reader.joined !== undefined);
  const quick = await reader
    .joined(0, SIZE)
    .then((joined) => (joined === undefined ? null : checkJoined(joined, KEYS)))
    .catch(() => null);
  return { quick, slow: checkChunk(await reader.chunk(0, SIZE), KEYS) };
}

async function releaf(knex: Knex, seq: number, change: (leaf: string) => string): Promise<void> {
  const { leaf } = await knex('records').where({ seq }).first('leaf');
  const other = change(leaf as string);
  await knex('records')
    .where({ seq })
    .update({ leaf: other, leaf_hash: leafHash(other) });
}

/** Whoever knows how records are joined, and would have a change pass for another. */
const DECEITS: readonly (readonly [name: string, how: (knex: Knex) => Promise<unknown>])[] = [
  [
    'a newline behind a leaf',
    (knex) =>
      knex('records')
        .where({ seq: 1 })
        .update({ leaf: knex.raw(`leaf || '\n'`) }),
  ],
  ['an array of columns behind a leaf', (knex) => releaf(knex, 1, (leaf) => `${leaf}\n[]`)],
  [
    'a member that stands twice',
    (knex) => releaf(knex, 1, (leaf) => leaf.replace('"case"', '"agency":"X","case"')),
  ],
  ['a leaf that is no JSON', (knex) => releaf(knex, 1, (leaf) => leaf.replace(',', ''))],
  [
    'a column of a member that is not there',
    (knex) => knex('records').where({ seq: 0 }).update({ user: '' }),
  ],
  ['the text null for what is there', (knex) => knex('records').where({ seq: 0 }).update({ agency: 'null' })],
  [
    'null for the text null',
    (knex) =>
      knex('records')
        .where({ seq: SIZE - 1 })
        .update({ agency: null }),
  ],
  [
    'a column moved into its neighbour',
    (knex) => knex('records').where({ seq: 1 }).update({ agency: 'H35.61","HS-1', case_no: null }),
  ],
  [
    'the subjects of one record at another',
    (knex) => knex('record_subjects').where({ seq: 2, digest: 'k:citizen:b' }).update({ seq: 0 }),
  ],
];

/** What only a store without types lets pass. */
const UNTYPED_DECEITS: typeof DECEITS = [
  [
    'a value that was clipped, in full',
    (knex) =>
      knex('records')
        .where({ seq: 6 })
        .update({ user: 'x'.repeat(129) }),
  ],
  ['a NUL in a leaf', (knex) => releaf(knex, 1, (leaf) => `${leaf}\u0000{}`)],
  ['a NUL behind a column', (knex) => knex('records').where({ seq: 1 }).update({ agency: 'H35.61\u0000x' })],
  [
    'a fraction of a millisecond',
    (knex) =>
      knex('records')
        .where({ seq: 1 })
        .update({ received_at: T0 + 0.4 }),
  ],
  [
    'bytes that are no text, in a leaf',
    (knex) => {
      const record = aRecord({ user: 'x' });
      const leaf = Buffer.from(canonicalRecord(record).replace('"x"', '"\u00ff"'), 'latin1');
      const leaf_hash = hash('sha256', Buffer.concat([Buffer.alloc(1), leaf]), 'buffer');
      return knex('records')
        .where({ seq: 1 })
        .update({
          leaf: knex.raw('CAST(? AS TEXT)', [leaf]),
          leaf_hash,
          ...columnsOf(record),
          user: knex.raw('CAST(? AS TEXT)', [Buffer.from([0xff])]),
        });
    },
  ],
  [
    'bytes that are no text, in a column',
    (knex) =>
      knex('records')
        .where({ seq: 1 })
        .update({ agency: Buffer.from([0xff, 0x22]) }),
  ],
];

/** One digest a byte shorter, the next a byte longer: together the same bytes. */
async function shiftDigest(knex: Knex): Promise<void> {
  const [one, two] = await knex('records').whereIn('seq', [3, 4]).orderBy('seq').select('leaf_hash');
  const [first, second] = [one.leaf_hash as Buffer, two.leaf_hash as Buffer];
  await knex('records')
    .where({ seq: 3 })
    .update({ leaf_hash: first.subarray(0, 31) });
  await knex('records')
    .where({ seq: 4 })
    .update({ leaf_hash: Buffer.concat([first.subarray(31), second]) });
}

describe('checking records as joined texts', function () {
  this.timeout(60_000);
  let test: TestDatabase;
  let reader: LogReader;
  beforeEach(async () => {
    test = await embedded.create();
    await insertRecords(test.database, RECORDS, 0);
    for (const [seq, record] of RECORDS.entries())
      for (const digest of subjectsOf(record))
        await test.database.knex('record_subjects').insert({ digest, received_at: T0, seq });
    reader = await openLogReader(test.database.engine, test.database.location, null);
  });
  afterEach(async () => {
    await reader.close();
    await test.drop();
  });

  it('proves records of every shape, and says of them what is said record by record', async () => {
    const { quick, slow } = await both(reader);
    assert.equal(slow.fault, undefined);
    assert.deepEqual(quick, slow);
    assert.deepEqual(
      Buffer.from(slow.hashes),
      Buffer.concat(RECORDS.map((record) => leafHash(canonicalRecord(record)))),
    );
  });

  for (const [name, how] of [
    ...DECEITS,
    ...UNTYPED_DECEITS,
    ['digests shifted by a byte', shiftDigest] as const,
  ])
    it(`is not deceived by ${name}`, async () => {
      await tamper(test.database, how);
      const { quick, slow } = await both(reader);
      assert.notEqual(slow.fault, undefined);
      assert.equal(quick, null);
    });

  it('never calls well what is not, whatever a column holds', async () => {
    const value = fc.oneof(
      fc.constantFrom(null, '', 'null', '"', '\\', 'x","y', 'H35.61', 'a\u001fb', '],[', '\n', '\u2028'),
      fc.string({ unit: 'binary', maxLength: 8 }),
    );
    const column = fc.constantFrom(
      ...COLUMN_NAMES.filter((one) => !['id', 'received_at', 'status'].includes(one)),
    );
    await tamper(test.database, async (knex) => {
      await fc.assert(
        fc.asyncProperty(fc.nat(SIZE - 1), column, value, async (seq, name, given) => {
          const own = columnsOf(RECORDS[seq] as AuditRecord)[name];
          const wanted = typeof given === 'string' ? given.replaceAll('\u0000', '').slice(0, 8) : given;
          try {
            await knex('records')
              .where({ seq })
              .update({ [name]: wanted });
          } catch {
            return; // not null, or no text to this store
          }
          const { quick, slow } = await both(reader);
          await knex('records')
            .where({ seq })
            .update({ [name]: own });
          assert.equal(quick === null, slow.fault !== undefined);
        }),
        { numRuns: 150 },
      );
    });
  });
});
