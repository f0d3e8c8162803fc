import assert from 'node:assert/strict';
import { AddressSet, canonicalRange, rangeWithin } from '../../gateway/base/address-set.js';
import { loadConfig } from '../../gateway/base/config.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addPaper, addService, addSystem, secretOf } from '../kit/province.js';
import { type Source, startSource } from '../kit/source.js';

describe('a range of addresses', () => {
  const cases: readonly [string, string | null][] = [
    ['10.1.2.3', '10.1.2.3'],
    ['10.1.2.3/32', '10.1.2.3'],
    ['10.1.2.3/16', '10.1.0.0/16'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3/112', '10.1.0.0/16'],
    ['2001:DB8:0:0::7', '2001:db8::7'],
    ['2001:db8::7/64', '2001:db8::/64'],
    ['10.1.2.3/33', null],
    ['10.1.2.3/-1', null],
    ['10.1.2.3/08', null],
    ['10.1.2.3/8/8', null],
    ['10.1.2.3/', null],
    ['10.1.2.3/ 8', null],
    ['10.1.2.3/8x', null],
    ['10.1.2', null],
    ['fe80::1%eth0', null],
    ['0x7f.1', null],
    ['2130706433', null],
    ['::ffff:10.1.2.3/95', null],
    ['may-chu.example', null],
    ['', null],
  ];
  for (const [entry, range] of cases)
    it(`${entry} is ${range ?? 'none'}`, () => {
      assert.equal(canonicalRange(entry), range);
      if (range !== null) assert.ok(new AddressSet([range]).has(range.split('/')[0] ?? ''));
      else assert.throws(() => new AddressSet([entry]), /not an address or CIDR range/);
    });

  for (const setting of ['trustedProxies', 'metricsAddresses'])
    for (const entry of ['10.0.0.0/', '10.0.0.0/8/1', '10.0.0.0/ 8', 'may-chu.example', ''])
      it(`«${entry}» in ${setting} is refused at the start`, () => {
        assert.throws(() => loadConfig({ [setting]: ['127.0.0.1', entry] }), {
          name: 'ConfigError',
          message: new RegExp(`${setting}\\.1: neither an address nor a CIDR range`),
        });
      });

  it('is refused at the start in LGSP_TRUSTED_PROXIES too', () => {
    assert.throws(() => loadConfig({}, { LGSP_TRUSTED_PROXIES: '10.0.0.1,10.0.0.0/' }), /trustedProxies\.1/);
  });

  it('holds an IPv4 address in either spelling', () => {
    const set = new AddressSet(['::ffff:10.0.0.0/104']);
    for (const [address, holds] of [
      ['10.255.255.255', true],
      ['::ffff:10.0.0.1', true],
      ['11.0.0.0', false],
    ] as const)
      assert.equal(set.has(address), holds, address);
  });
});

describe('one range in another', () => {
  for (const [inner, outer, within] of [
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['10.1.2.3', '10.1.2.0/24', true],
    ['10.1.3.0', '10.1.2.0/24', false],
    ['10.1.2.0/24', '10.1.2.0/24', true],
    ['10.1.2.0/25', '10.1.2.0/24', true],
    ['10.1.2.0/23', '10.1.2.0/24', false],
    ['10.1.2.0/24', '10.1.2.1', false],
    ['10.0.0.0/8', '0.0.0.0/0', true],
    ['0.0.0.0/0', '10.0.0.0/8', false],
    ['2001:db8::1', '2001:db8::/32', true],
    ['2001:db9::/48', '2001:db8::/32', false],
    ['10.1.2.3', '::/0', false],
    ['::1', '0.0.0.0/0', false],
  ] as const)
    it(`${inner} in ${outer}: ${within}`, () => assert.equal(rangeWithin(inner, outer), within));
});

for (const engine of engines) {
  describe(`addresses from which a system may call, on ${engine.name}`, () => {
    let test: TestDatabase;
    let gateway: TestGateway;
    let source: Source;
    let path: string;

    before(async () => {
      test = await engine.create();
      source = await startSource();
      for (const code of ['H35.11', 'H35.61', 'H35.90']) await addAgency(test.database, code);
      await addPaper(test.database, 'H35.90');
      await addSystem(test.database, 'mot-cua', 'H35.61');
      await addSystem(test.database, 'van-hanh', 'H35.90', { roles: ['operator', 'manager'] });
      path = await addService(test.database, source.url);
      // The test stands for the proxy: what it forwards is believed.
      gateway = await startTestGateway(test, { trustedProxies: ['127.0.0.1'] });
    });
    after(async () => {
      await gateway.close();
      await source.close();
      await test.drop();
    });

    const change = (body: object) =>
      gateway.call('van-hanh', '/api/systems/mot-cua', {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const from = (address: string, plane = 'data') =>
      gateway.call('mot-cua', `${path.replace('/data', `/${plane}`)}/ok`, {
        headers: { 'x-forwarded-for': address },
      });
    const askToken = (address: string, secret = secretOf('mot-cua')) =>
      fetch(`${gateway.url}/oidc/token`, {
        method: 'POST',
        headers: {
          'x-forwarded-for': address,
          authorization: `Basic ${Buffer.from(`mot-cua:${secret}`).toString('base64')}`,
        },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });

    it('are any until a list is given', async () => {
      assert.equal((await from('203.0.113.9')).status, 200);
    });

    it('are those of the list, at once, for data, sandbox and tokens; the list is told to nobody', async () => {
      await from('10.20.0.1');
      const changed = await change({ addresses: ['10.20.3.4/16', '2001:db8::7', '10.20.0.0/16'] });
      const system = (await changed.json()) as { addresses: string[] };
      assert.deepEqual(system.addresses, ['10.20.0.0/16', '2001:db8::7']);
      for (const [address, status] of [
        ['10.20.255.255', 200],
        ['::ffff:10.20.1.1', 200],
        ['2001:db8::7', 200],
        ['10.21.0.0', 403],
        ['2001:db8::8', 403],
      ] as const)
        assert.equal((await from(address)).status, status, address);
      const refused = await from('203.0.113.9');
      const problem = (await refused.json()) as Record<string, any>;
      assert.deepEqual([problem['code'], problem['rule'].address], ['address_not_allowed', '203.0.113.9']);
      assert.doesNotMatch(JSON.stringify(problem), /10\.20\./);
      assert.equal((await from('203.0.113.9', 'sandbox')).status, 403);
      assert.equal((await askToken('10.20.1.1')).status, 200);
      const token = await askToken('203.0.113.9');
      assert.equal(token.status, 400);
      const said = (await token.json()) as { error: string; error_description: string };
      assert.equal(said.error, 'unauthorized_client');
      assert.match(said.error_description, /address_not_allowed.*203\.0\.113\.9/);
      const guessed = await askToken('203.0.113.9', 'sai');
      assert.equal(
        ((await guessed.json()) as { error: string }).error,
        'invalid_client',
        'nothing is told to strangers',
      );
      const record = (await allRecords(test.database)).find(({ code }) => code === 'address_not_allowed');
      assert.equal(record?.system, 'mot-cua');
    });

    it('are any again once the list is taken away', async () => {
      assert.equal((await change({ addresses: null })).status, 200);
      assert.equal((await from('203.0.113.9')).status, 200);
    });

    it('are refused where they are none, by their place', async () => {
      const answer = await change({ addresses: ['10.0.0.1', 'may-chu.example'] });
      const problem = (await answer.json()) as Record<string, any>;
      assert.deepEqual(
        [problem['code'], problem['errors'][0].pointer],
        ['request_invalid', '/body/addresses/1'],
      );
      assert.equal((await change({ addresses: [] })).status, 400, 'an empty list would shut it out');
    });
  });
}
