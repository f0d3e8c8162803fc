import assert from 'node:assert/strict';
import type { AuditRecord, Recorder } from '../../gateway/audit/record.js';
import { addressBlock } from '../../gateway/base/address-block.js';
import { loadConfig } from '../../gateway/base/config.js';
import { createLog } from '../../gateway/base/log.js';
import { Problem } from '../../gateway/base/problem.js';
import { RefusalFlood } from '../../gateway/audit/refusal-flood.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { soundLog } from '../kit/log.js';
import { addAgency, addService, addSystem } from '../kit/province.js';

const log = createLog('silent');

interface Counted {
  readonly count: number;
  readonly codes: Record<string, number>;
  readonly reasons?: Record<string, Record<string, number>>;
  readonly planes: string[];
}

const countedOf = (record: AuditRecord): Counted => record.target?.after as Counted;
const isCount = ({ target }: AuditRecord): boolean => target?.noun === 'refusals';
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe('whom an address stands for when it is counted', () => {
  const cases: readonly (readonly [address: string, block: string])[] = [
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8:0:1:aa::1', '2001:db8:0:1::/64'],
    ['2001:db8:0:1:ffff:ffff:ffff:ffff', '2001:db8:0:1::/64'],
    ['2001:db8:0:2::', '2001:db8:0:2::/64'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['unknown', 'unknown'],
  ];
  for (const [address, block] of cases)
    it(`${address} is ${block}`, () => assert.equal(addressBlock(address), block));
});

/** A log in memory that can be told to refuse. */
function memoryRecorder(): Recorder & { readonly written: AuditRecord[]; broken: boolean } {
  const written: AuditRecord[] = [];
  return {
    written,
    broken: false,
    waiting: 0,
    write(record) {
      if (this.broken) return Promise.reject(new Problem('record_unavailable'));
      written.push(record);
      return Promise.resolve({ id: record.id, index: written.length - 1, treeSize: written.length });
    },
    close: () => Promise.resolve(),
  };
}

describe('counting refusals', () => {
  const MINUTE = 60_000;
  let now = 100 * MINUTE;
  const settings = { perAddress: 3, inAll: 10, addresses: 5 };
  const begin = (recorder: Recorder, refusals: object = settings) =>
    new RefusalFlood({
      recorder,
      log,
      clock: { now: () => now },
      config: loadConfig({ record: { refusals } }),
    });
  const refuse = (flood: RefusalFlood, address: string, code = 'token_missing', reason?: string): boolean =>
    flood.counts({ address, plane: 'data', code, ...(reason === undefined ? {} : { reason }) });

  it('writes one by one up to the limit, and counts from then on until the minute is over', async () => {
    const recorder = memoryRecorder();
    const flood = begin(recorder);
    const told = [0, 1, 2, 3, 4].map((i) => {
      now = 100 * MINUTE + i * 1000;
      return refuse(flood, '203.0.113.7', i === 4 ? 'token_invalid' : 'token_missing');
    });
    assert.deepEqual(told, [false, false, false, true, true]);
    now = 101 * MINUTE;
    assert.equal(refuse(flood, '203.0.113.7'), false);
    await flood.close();
    assert.equal(recorder.written.length, 1);
    const [record] = recorder.written as [AuditRecord];
    assert.equal(record.address, '203.0.113.7');
    assert.equal(record.received, new Date(100 * MINUTE + 3000).toISOString());
    assert.equal(record.released, new Date(100 * MINUTE + 4000).toISOString());
    assert.deepEqual(record.target, {
      noun: 'refusals',
      key: '203.0.113.7',
      after: { count: 2, codes: { token_missing: 1, token_invalid: 1 }, planes: ['data'] },
    });
  });

  it('says why, for each code, in the one record of the address', async () => {
    const recorder = memoryRecorder();
    const flood = begin(recorder, { ...settings, perAddress: 1 });
    refuse(flood, '203.0.113.7');
    for (const reason of ['issuer', 'signature', 'issuer', undefined])
      refuse(flood, '203.0.113.7', 'token_invalid', reason);
    refuse(flood, '203.0.113.7');
    refuse(flood, '203.0.113.7', 'token_expired', 'expired');
    await flood.close();
    assert.deepEqual(recorder.written.map(countedOf), [
      {
        count: 6,
        codes: { token_invalid: 4, token_missing: 1, token_expired: 1 },
        reasons: { token_invalid: { issuer: 2, signature: 1 }, token_expired: { expired: 1 } },
        planes: ['data'],
      },
    ]);
  });

  it('bounds the reasons, also where minutes are added up, and counts all the same', async () => {
    const recorder = memoryRecorder();
    const flood = begin(recorder, { perAddress: 1, inAll: 1, addresses: 1 });
    refuse(flood, '203.0.113.7');
    for (let minute = 0; minute < 4; minute += 1) {
      for (let i = 0; i < 40; i += 1)
        if (i + minute > 0) refuse(flood, '203.0.113.7', 'token_unbound', `r${minute}-${i}`);
      now += MINUTE;
      refuse(flood, '203.0.113.7', 'token_unbound', 'bound');
    }
    await flood.close();
    const counted = recorder.written.map(countedOf);
    assert.equal(counted.length, 2, 'what is owed is bounded too');
    for (const { codes, reasons } of counted) {
      const named = reasons?.['token_unbound'] ?? {};
      assert.equal(Object.keys(named).length, 32);
      assert.ok((codes['token_unbound'] ?? 0) > sum(Object.values(named)));
    }
  });

  it('counts an IPv6 network as one', async () => {
    const recorder = memoryRecorder();
    const flood = begin(recorder);
    for (let i = 0; i < 8; i += 1) refuse(flood, `2001:db8:0:1::${i + 1}`);
    await flood.close();
    assert.deepEqual(
      recorder.written.map((record) => [record.address, countedOf(record).count]),
      [['2001:db8:0:1::/64', 5]],
    );
  });

  it('keeps a bounded number of addresses, and one count for the rest', async () => {
    const recorder = memoryRecorder();
    const flood = begin(recorder);
    let own = 0;
    for (let i = 0; i < 20_000; i += 1)
      if (!refuse(flood, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)) own += 1;
    await flood.close();
    assert.equal(own, settings.addresses + settings.perAddress);
    const others = recorder.written.find(({ target }) => target?.key === 'others');
    assert.equal(others?.address, undefined);
    assert.ok(recorder.written.length <= settings.addresses + 1);
    assert.equal(own + sum(recorder.written.map((record) => countedOf(record).count)), 20_000);
  });

  it('has one bound for all addresses together', () => {
    const flood = begin(memoryRecorder(), { ...settings, inAll: 4, addresses: 100 });
    const own = Array.from({ length: 50 }, (_, i) => refuse(flood, `198.51.100.${i}`)).filter((one) => !one);
    assert.equal(own.length, 4);
  });

  it('keeps what cannot be written, and writes it later', async () => {
    const recorder = memoryRecorder();
    const flood = begin(recorder);
    for (let i = 0; i < 10; i += 1) refuse(flood, '203.0.113.7');
    recorder.broken = true;
    await flood.close();
    assert.equal(recorder.written.length, 0);
    recorder.broken = false;
    await flood.close();
    assert.deepEqual(
      recorder.written.map((record) => countedOf(record).count),
      [7],
    );
  });
});

for (const engine of engines) {
  describe(`a flood of refusals, ${engine.name}`, () => {
    let test: TestDatabase;
    let node: TestGateway;
    const perAddress = 20;

    before(async () => {
      test = await engine.create();
      await addAgency(test.database, 'H35.11');
      await addSystem(test.database, 'consumer', 'H35.11');
      await addService(test.database, 'http://127.0.0.1:9');
      node = await startTestGateway(test, {
        trustedProxies: ['127.0.0.1/32'],
        limits: { address: { calls: 1_000_000, seconds: 60 } },
        record: { refusals: { perAddress, inAll: 200, addresses: 50 } },
      });
    });

    after(async () => {
      await test.drop();
    });

    const from = (address: string, path = '/data/H35.11/thu/v1/ok') =>
      fetch(`${node.url}${path}`, { headers: { 'x-forwarded-for': address } });
    const many = async (count: number, address: (i: number) => string): Promise<Response[]> => {
      const found: Response[] = [];
      for (let sent = 0; sent < count; sent += 50)
        found.push(...(await Promise.all(Array.from({ length: 50 }, (_, i) => from(address(sent + i))))));
      return found;
    };

    it('leaves few records, and counts that add up', async function () {
      this.timeout(60_000);
      const flood = await many(5000, () => '203.0.113.7');
      const named = flood.filter((response) => response.headers.has('lgsp-record'));
      for (const response of flood) {
        assert.equal(response.status, 401);
        const body = (await response.json()) as { instance?: string; code: string };
        const record = response.headers.get('lgsp-record');
        assert.equal(body.instance, record === null ? undefined : `urn:uuid:${record}`);
        assert.equal(body.code, 'token_missing');
      }
      const other = await from('203.0.113.8');
      const otherId = other.headers.get('lgsp-record');
      // What somebody vouches for is always written down, however busy the address is.
      const own = await Promise.all(
        Array.from({ length: 30 }, () =>
          node.call('consumer', '/data/H35.11/thu/v1/ok?limit=99', {
            headers: { 'x-forwarded-for': '203.0.113.7' },
          }),
        ),
      );
      assert.ok(own.every((response) => response.headers.has('lgsp-record')));
      await many(3000, (i) => `10.1.${i >> 8}.${i & 255}`);
      await node.close();

      const records = await allRecords(test.database);
      const ids = new Set(records.map(({ id }) => id));
      for (const response of named) assert.ok(ids.has(response.headers.get('lgsp-record') ?? ''));
      const singles = records.filter(({ kind, address }) => kind === 'closing' && address === '203.0.113.7');
      const strangers = singles.filter(({ system }) => system === undefined);
      const counts = records.filter(isCount);
      const ofFlood = counts.filter(({ address }) => address === '203.0.113.7');
      assert.equal(strangers.length, named.length);
      assert.equal(singles.length - strangers.length, own.length);
      // The run may have crossed a minute.
      assert.ok(strangers.length <= 3 * perAddress, `${strangers.length} records`);
      assert.ok(ofFlood.length >= 1 && ofFlood.length <= 3);
      assert.equal(strangers.length + sum(ofFlood.map((record) => countedOf(record).count)), 5000);
      assert.equal(
        sum(ofFlood.map((record) => countedOf(record).codes['token_missing'] ?? 0)) + strangers.length,
        5000,
      );
      assert.ok(otherId !== null && ids.has(otherId));
      const all = records.filter((record) => record.kind === 'closing' && record.system === undefined);
      assert.ok(all.length <= 700, `${all.length} records`);
      assert.ok(counts.length <= 3 * 51, `${counts.length} counts`);
      assert.equal(all.length + sum(counts.map((record) => countedOf(record).count)), 8001);
      await soundLog(test.database);
    });

    it('is counted by the reasons that single records give', async function () {
      this.timeout(60_000);
      const other = await startTestGateway(test, { record: { refusals: { perAddress: 1, inAll: 1 } } });
      const before = (await allRecords(test.database)).length;
      const token = { authorization: 'Bearer khong.phai.ma' };
      const client = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'consumer' });
      const twenty = (send: () => Promise<Response>) => Promise.all(Array.from({ length: 20 }, send));
      await twenty(() => fetch(`${other.url}/data/H35.11/thu/v1/ok`, { headers: token }));
      await twenty(() => fetch(`${other.url}/oidc/token`, { method: 'POST', body: client }));
      await other.close();
      const records = (await allRecords(test.database)).slice(before);
      const [single] = records.filter(({ code }) => code === 'token_invalid');
      assert.equal(single?.reason, 'malformed');
      const totals: Record<string, number> = {};
      for (const counted of records.filter(isCount).map(countedOf))
        for (const [code, reasons] of Object.entries(counted.reasons ?? {}))
          for (const [reason, count] of Object.entries(reasons))
            totals[`${code} ${reason}`] = (totals[`${code} ${reason}`] ?? 0) + count;
      // The run may have crossed a minute, whose first refusal has a record of its own.
      const few = (key: string) => (totals[key] ?? 0) >= 17 && (totals[key] ?? 0) <= 20;
      assert.deepEqual(Object.keys(totals).sort(), [
        'client_refused invalid_client',
        'token_invalid malformed',
      ]);
      assert.ok(Object.keys(totals).every(few), JSON.stringify(totals));
    });
  });
}
