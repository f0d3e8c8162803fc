import assert from 'node:assert/strict';
import { canonicalRecord } from '../../gateway/audit/canonical.js';
import { COLUMN_NAMES, columnsOf } from '../../gateway/audit/columns.js';
import type { AuditRecord, Recorder } from '../../gateway/audit/record.js';
import {
  getRecord,
  latestCheckpoint,
  type RecordQuery,
  type RecordScope,
  searchRecords,
} from '../../gateway/audit/search.js';
import { leafHash } from '../../gateway/audit/tree.js';
import { Problem } from '../../gateway/base/problem.js';
import type { Database } from '../../gateway/store/database.js';
import { type TestDatabase, embedded, engines } from '../kit/databases.js';
import { startLog } from './log.js';
import { aRecord, T0 } from './records.js';

const ALL: RecordScope = { all: true };
const at = (ms: number) => new Date(T0 + ms).toISOString();
const TRACE = '0af7651916cd43dd8448eb211c80319c';

/** In the order written; the ids say which is which. */
const RECORDS: readonly AuditRecord[] = [
  aRecord({ id: 'a', received: at(0), agency: 'H35.1', system: 's1', user: 'cb01', case: 'HS-1' }),
  aRecord({
    id: 'b',
    received: at(1000),
    agency: 'H35.1',
    system: 's1',
    provider: 'H35.8',
    service: 'ho-so',
    trace: TRACE,
  }),
  aRecord({
    id: 'c',
    received: at(2000),
    agency: 'H35.2',
    system: 's2',
    outcome: 'refused',
    code: 'rate_limited',
    status: 429,
  }),
  aRecord({
    id: 'd',
    received: at(3000),
    agency: 'H35.2',
    system: 's2',
    kind: 'opening',
    operation: 'submit',
  }),
  aRecord({
    id: 'e',
    received: at(3000),
    agency: 'H35.2',
    system: 's2',
    operation: 'submit',
    opening: 'd',
    version: 'v2',
  }),
  aRecord({
    id: 'f',
    received: at(2500),
    outcome: 'failed',
    code: 'source_timeout',
    status: 504,
    provider: 'H35.8',
  }),
  {
    v: 1,
    id: 'g',
    kind: 'act',
    plane: 'admin',
    received: at(4000),
    system: 'admin',
    target: { noun: 'system', key: 's1', before: { state: 'active' }, after: { state: 'locked' } },
  },
  aRecord({ id: 'h', received: at(5000), outcome: 'aborted', case: `HS-${'9'.repeat(200)}` }),
];

const CASES: readonly (readonly [name: string, query: RecordQuery, ids: string])[] = [
  ['everything, newest first', {}, 'hgedfcba'],
  ['from a time on', { from: T0 + 3000 }, 'hged'],
  ['before a time', { to: T0 + 3000 }, 'fcba'],
  ['a span', { from: T0 + 1000, to: T0 + 2001 }, 'cb'],
  ['an empty span', { from: T0 + 6000 }, ''],
  ['id', { id: 'c' }, 'c'],
  ['agency', { agency: 'H35.1' }, 'ba'],
  ['system', { system: 's2' }, 'edc'],
  ['user', { user: 'cb01' }, 'a'],
  ['case', { case: 'HS-1' }, 'a'],
  ['case, longer than its column', { case: `HS-${'9'.repeat(200)}` }, 'h'],
  ['provider', { provider: 'H35.8' }, 'fb'],
  ['service', { service: 'ho-so' }, 'b'],
  ['version', { version: 'v2' }, 'e'],
  ['operation', { operation: 'submit' }, 'ed'],
  ['one outcome', { outcome: 'refused' }, 'c'],
  ['the usual outcome', { outcome: 'answered' }, 'edba'],
  ['several outcomes', { outcome: ['refused', 'failed', 'aborted'] }, 'hfc'],
  ['several outcomes, the usual among them', { outcome: ['answered', 'failed'] }, 'edfba'],
  ['no outcome', { outcome: [] }, ''],
  ['code', { code: 'source_timeout' }, 'f'],
  ['status', { status: 429 }, 'c'],
  ['kind', { kind: 'act' }, 'g'],
  ['plane', { plane: 'admin' }, 'g'],
  ['trace', { trace: TRACE }, 'b'],
  ['opening', { opening: 'd' }, 'e'],
  ['noun', { noun: 'system' }, 'g'],
  ['noun and key', { noun: 'system', target: 's1' }, 'g'],
  ['another key', { noun: 'system', target: 's2' }, ''],
  ['two filters', { agency: 'H35.2', code: 'rate_limited' }, 'c'],
  ['filters that exclude each other', { agency: 'H35.1', code: 'rate_limited' }, ''],
  ['a filter and a time', { agency: 'H35.2', from: T0 + 2500, outcome: 'answered' }, 'ed'],
  ['text that would be SQL', { agency: `' OR 1=1 --` }, ''],
];

const SCOPES: readonly (readonly [name: string, query: RecordQuery, scope: RecordScope, ids: string])[] = [
  ['a provider sees calls of its services', {}, { provider: 'H35.8' }, 'fb'],
  ['a consumer sees its own calls', {}, { agency: 'H35.1' }, 'ba'],
  ['a provider who filters by itself', { provider: 'H35.8' }, { provider: 'H35.8' }, 'fb'],
  ['a provider who filters by another', { provider: 'H35.9' }, { provider: 'H35.8' }, ''],
  ['a consumer who filters by another', { agency: 'H35.2' }, { agency: 'H35.1' }, ''],
  ['a consumer who names an id of another', { id: 'c' }, { agency: 'H35.1' }, ''],
  ['a consumer with another filter', { code: 'rate_limited' }, { agency: 'H35.2' }, 'c'],
];

async function writeAll(recorder: Recorder): Promise<void> {
  for (const one of RECORDS) await recorder.write(one);
}

for (const engine of engines) {
  describe(`searching the record on ${engine.name}`, () => {
    let test: TestDatabase;
    const idsOf = async (query: RecordQuery, scope: RecordScope = ALL) =>
      (await searchRecords(test.database, query, scope)).items.map((item) => item.id).join('');
    before(async () => {
      test = await engine.create();
      const recorder = await startLog(test.database);
      await writeAll(recorder);
      await recorder.close();
    });
    after(() => test.drop());

    for (const [name, query, ids] of CASES)
      it(`finds by ${name}`, async () => assert.equal(await idsOf(query), ids));

    for (const [name, query, scope, ids] of SCOPES)
      it(`holds to the scope: ${name}`, async () => assert.equal(await idsOf(query, scope), ids));

    it('gives the record as it was written, with its place', async () => {
      const { items } = await searchRecords(test.database, { id: 'g' }, ALL);
      assert.deepEqual(items, [{ ...RECORDS[6], index: 6 }]);
    });

    for (const [query, ids] of [
      [{}, 'hgedfcba'],
      [{ outcome: 'answered' }, 'edba'],
      [{ agency: 'H35.2' }, 'edc'],
    ] as const) {
      for (const limit of [1, 2, 3, 8]) {
        it(`pages through ${ids} by ${limit}`, async () => {
          let [seen, pages, cursor]: [string, number, string | undefined] = ['', 0, undefined];
          do {
            const page = await searchRecords(
              test.database,
              { ...query, limit, ...(cursor ? { cursor } : {}) },
              ALL,
            );
            assert.ok(page.items.length <= limit);
            seen += page.items.map((item) => item.id).join('');
            cursor = page.next ?? undefined;
          } while (cursor !== undefined && ++pages < 10);
          assert.equal(seen, ids);
          assert.ok(pages <= Math.ceil(ids.length / limit), 'no page too many');
        });
      }
    }

    for (const [asked, got] of [
      [0, 1],
      [-5, 1],
      [1000, 8],
    ] as const) {
      it(`keeps a limit of ${asked} within bounds`, async () =>
        assert.equal((await searchRecords(test.database, { limit: asked }, ALL)).items.length, got));
    }

    for (const cursor of [
      '',
      'x',
      '!!',
      Buffer.from('1').toString('base64url'),
      Buffer.from('1.x').toString('base64url'),
      Buffer.from("1.2' OR 1").toString('base64url'),
      Buffer.from('9999999999999999.9999999999999999').toString('base64url'),
      'A'.repeat(500),
    ]) {
      it(`refuses the cursor ${JSON.stringify(cursor.slice(0, 30))}`, async () => {
        await assert.rejects(searchRecords(test.database, { cursor }, ALL), (fault: unknown) => {
          assert.ok(fault instanceof Problem);
          assert.equal(fault.code, 'request_invalid');
          assert.equal(fault.parts.errors?.[0]?.pointer, '/query/cursor');
          return true;
        });
      });
    }

    it('gets one record with its place and the size of the tree', async () => {
      const record = await getRecord(test.database, 'c');
      assert.deepEqual(record, { ...RECORDS[2], index: 2, treeSize: RECORDS.length });
      assert.equal(await getRecord(test.database, 'zz'), null);
      assert.equal(await getRecord(test.database, 'c', { agency: 'H35.1' }), null, 'not within the scope');
      assert.equal((await getRecord(test.database, 'c', { agency: 'H35.2' }))?.id, 'c');
    });

    it('gets the newest signed head', async () => {
      const head = await latestCheckpoint(test.database);
      assert.equal(head?.size, RECORDS.length);
      assert.ok(head.note.startsWith(`lgsp.test/log\n${RECORDS.length}\n`));
    });
  });

  describe(`searching a long record on ${engine.name}`, () => {
    it('looks at so many records at a time, and says where to go on', async () => {
      const test = await engine.create();
      try {
        await fill(test, 45_000);
        const query = { operation: 'rare' };
        const first = await searchRecords(test.database, query, ALL);
        assert.deepEqual(first.items, [], 'the newest 20,000 hold none');
        let [cursor, found, pages] = [first.next, 0, 1];
        for (; cursor !== null && pages < 10; pages++) {
          const page = await searchRecords(test.database, { ...query, cursor }, ALL);
          found += page.items.length;
          cursor = page.next;
        }
        assert.deepEqual([found, pages], [1, 3]);
      } finally {
        await test.drop();
      }
    });
  });
}

/** Rows straight into the table: the search does not look at the tree. The oldest one is the rare one. */
async function fill({ database }: TestDatabase, count: number): Promise<void> {
  await database.knex.transaction(async (trx) => {
    for (let seq = 0; seq < count; seq += 500) {
      await trx.batchInsert(
        'records',
        Array.from({ length: 500 }, (_, i) => rowAt(seq + i)),
        30,
      );
    }
  });
}

function rowAt(seq: number): object {
  const record = aRecord({ received: at(seq), operation: seq === 0 ? 'rare' : 'usual' });
  const leaf = canonicalRecord(record);
  const columns = columnsOf(record);
  return {
    seq,
    leaf,
    leaf_hash: leafHash(leaf),
    ...Object.fromEntries(COLUMN_NAMES.map((name) => [name, columns[name]])),
  };
}

/** How SQLite goes about each question that one search asks. */
async function plansOf(database: Database, query: RecordQuery): Promise<{ sql: string; plan: string }[]> {
  const { knex } = database;
  const asked: { sql: string; bindings: unknown[] }[] = [];
  const listen = (one: { sql: string; bindings: unknown[] }): void => void asked.push(one);
  knex.on('query', listen);
  await searchRecords(database, query, ALL);
  knex.removeListener('query', listen);
  const plans = [];
  for (const { sql, bindings } of asked.filter((one) => / from .(records|record_)/.test(one.sql))) {
    const plan = await knex.raw(`EXPLAIN QUERY PLAN ${sql}`, bindings as string[]);
    plans.push({ sql, plan: (plan as { detail: string }[]).map(({ detail }) => detail).join('; ') });
  }
  return plans;
}

describe('searching the record on SQLite', () => {
  it('starts every search from an index that gives the order too', async () => {
    const test = await embedded.create();
    try {
      const plans: (readonly [RecordQuery, string])[] = [
        [{}, 'records_received_index'],
        [{ agency: 'x', from: 1, to: 2 }, 'records_agency_index'],
        [{ system: 'x' }, 'records_system_index'],
        [{ service: 'x' }, 'records_service_index'],
        [{ provider: 'y' }, 'records_provider_index'],
        [{ user: 'x', agency: 'y' }, 'records_user_index'],
        [{ case: 'x' }, 'records_case_index'],
        [{ code: 'x' }, 'records_code_index'],
        [{ trace: 'x' }, 'records_trace_index'],
        [{ noun: 'x' }, 'records_noun_index'],
        [{ noun: 'x', target: 'y' }, 'records_target_index'],
      ];
      for (const [query, index] of plans)
        for (const { sql, plan } of await plansOf(test.database, query)) {
          assert.match(plan, new RegExp(`INDEX ${index}`), `${sql}: ${plan}`);
          assert.doesNotMatch(plan, /TEMP B-TREE/, plan);
        }
    } finally {
      await test.drop();
    }
  });

  it('joins the entries of series where there are several filters, and goes through no table but that of series', async () => {
    const test = await embedded.create();
    try {
      for (const query of [
        { system: 'x', status: 200 },
        { service: 'x', provider: 'y', from: 1, to: 2 },
        { code: 'x', agency: 'y', cursor: Buffer.from('1.1').toString('base64url') },
        { operation: 'x' },
        { outcome: 'failed' },
        { outcome: ['refused', 'failed'], agency: 'y', below: 9 },
      ] satisfies RecordQuery[]) {
        const asked = await plansOf(test.database, query);
        assert.ok(
          asked.some(({ plan }) => /SEARCH e USING PRIMARY KEY \(series=\? AND received_at>\?/.test(plan)),
        );
        for (const { sql, plan } of asked)
          for (const [, table] of plan.matchAll(/SCAN (\w+)/g))
            assert.match(table ?? '', /^(s|few|found|filled|f|record_series|CONSTANT)$/, `${sql}: ${plan}`);
      }
    } finally {
      await test.drop();
    }
  });
});
