import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEgress, EgressDenied } from '../../connectors/allow-list.js';

interface LookupAnswer {
  readonly error: Error | null;
  readonly address: unknown;
}

const lookedUp = (
  egress: ReturnType<typeof createEgress>,
  host: string,
  port: number,
  options: { all: boolean; family?: number },
): Promise<LookupAnswer> =>
  new Promise((resolve) =>
    egress.lookup(port)(host, options, (error, address) => resolve({ error, address })),
  );

describe('egress: literal addresses', () => {
  const everything = ['0.0.0.0/0', '::/0', 'localhost'];
  const cases: readonly [
    title: string,
    addresses: readonly string[],
    host: string,
    port: number,
    allowed: boolean,
  ][] = [
    ['nothing listed', [], '8.8.8.8', 80, false],
    ['in the range', ['10.1.0.0/16'], '10.1.255.255', 80, true],
    ['just below the range', ['10.1.0.0/16'], '10.0.255.255', 80, false],
    ['just above the range', ['10.1.0.0/16'], '10.2.0.0', 80, false],
    ['range with a port', ['10.1.0.0/16:5432'], '10.1.2.3', 5432, true],
    ['range with another port', ['10.1.0.0/16:5432'], '10.1.2.3', 5433, false],
    ['a literal stands for itself', ['10.1.2.3'], '10.1.2.3', 443, true],
    ['and for nobody else', ['10.1.2.3'], '10.1.2.4', 443, false],
    ['a literal with a port', ['127.0.0.1:8080'], '127.0.0.1', 8080, true],
    ['an IPv6 literal with a port', ['[fd12::1]:8443'], 'fd12::1', 8443, true],
    ['the same in brackets', ['[fd12::1]:8443'], '[fd12::1]', 8443, true],
    ['an IPv6 range with a port', ['[fd12::/16]:8443'], 'fd12::99', 8443, true],
    ['an IPv6 range with another port', ['[fd12::/16]:8443'], 'fd12::99', 80, false],
    ['hexadecimal loopback', ['10.0.0.0/8'], '0x7f.1', 80, false],
    ['loopback as one number', ['10.0.0.0/8'], '2130706433', 80, false],
    ['short loopback', ['10.0.0.0/8'], '127.1', 80, false],
    ['octal loopback', ['10.0.0.0/8'], '0177.0.0.1', 80, false],
    ['loopback with a dot behind', ['10.0.0.0/8'], '127.0.0.1.', 80, false],
    ['odd spellings are the address they mean', ['127.0.0.0/8'], '2130706433', 80, true],
    ['IPv4-mapped, the IPv4 listed', ['10.0.0.0/8'], '::ffff:10.0.0.1', 80, true],
    ['IPv4-mapped, not listed', ['::/0'], '::ffff:10.0.0.1', 80, false],
    ['link-local', everything, '169.254.1.1', 80, false],
    ['metadata', everything, '169.254.169.254', 80, false],
    ['metadata as one number', everything, '2852039166', 80, false],
    ['metadata, mapped', everything, '::ffff:169.254.169.254', 80, false],
    ['metadata, mapped in hexadecimal', everything, '[::ffff:a9fe:a9fe]', 80, false],
    ['metadata, IPv4-compatible', everything, '::169.254.169.254', 80, false],
    ['metadata, NAT64', everything, '64:ff9b::a9fe:a9fe', 80, false],
    ['metadata, local NAT64', everything, '64:ff9b:1::a9fe:a9fe', 80, false],
    ['metadata, 6to4', everything, '2002:a9fe:a9fe::1', 80, false],
    ['metadata, ISATAP', everything, 'fd12::5efe:a9fe:a9fe', 80, false],
    ['metadata of other clouds', everything, '100.100.100.200', 80, false],
    ['metadata over IPv6', everything, 'fd00:ec2::254', 80, false],
    ['link-local IPv6', everything, 'fe80::1', 80, false],
    ['link-local IPv6 with a zone', everything, 'fe80::1%eth0', 80, false],
    ['unspecified', everything, '0.0.0.0', 80, false],
    ['unspecified IPv6', everything, '::', 80, false],
    ['multicast', everything, '224.0.0.1', 80, false],
    ['multicast IPv6', everything, 'ff02::1', 80, false],
    ['broadcast', everything, '255.255.255.255', 80, false],
    ['listed by itself, forbidden all the same', ['169.254.169.254'], '169.254.169.254', 80, false],
    ['loopback, listed', ['127.0.0.1/32'], '127.0.0.1', 80, true],
    ['loopback under a name', ['localhost'], '127.0.0.1', 80, false],
    ['a host with a user', ['10.0.0.0/8'], 'user@10.0.0.1', 80, false],
    ['a host with a path', ['10.0.0.0/8'], '10.0.0.1/x', 80, false],
    ['a percent-escaped host', ['10.0.0.0/8'], '10.0.0%2e1', 80, false],
    ['no host', everything, '', 80, false],
  ];
  for (const [title, addresses, host, port, allowed] of cases)
    it(`${title}: ${host} ${allowed ? 'is allowed' : 'is denied'}`, () => {
      const egress = createEgress({ addresses, folders: [] });
      if (allowed) egress.assertHost(host, port);
      else assert.throws(() => egress.assertHost(host, port), EgressDenied);
    });
});

describe('egress: names', () => {
  const cases: readonly [
    title: string,
    addresses: readonly string[],
    host: string,
    resolved: readonly string[],
    expected: readonly string[],
  ][] = [
    ['listed, public', ['api.example.vn'], 'api.example.vn', ['93.184.216.34'], ['93.184.216.34']],
    ['not listed', ['api.example.vn'], 'other.example.vn', ['93.184.216.34'], []],
    [
      'upper case and a dot behind',
      ['api.example.vn'],
      'API.Example.VN.',
      ['93.184.216.34'],
      ['93.184.216.34'],
    ],
    ['listed for another port', ['api.example.vn:8443'], 'api.example.vn', ['93.184.216.34'], []],
    ['listed, but now private (rebinding)', ['api.example.vn'], 'api.example.vn', ['10.0.0.5'], []],
    ['listed, but now loopback', ['api.example.vn'], 'api.example.vn', ['127.0.0.1', '::1'], []],
    ['listed, but now metadata', ['api.example.vn', '0.0.0.0/0'], 'api.example.vn', ['169.254.169.254'], []],
    [
      'listed, but now mapped metadata',
      ['api.example.vn', '::/0'],
      'api.example.vn',
      ['::ffff:169.254.169.254'],
      [],
    ],
    [
      'private, and the network listed too',
      ['a.noi-bo', '10.0.0.0/8'],
      'a.noi-bo',
      ['10.0.0.5'],
      ['10.0.0.5'],
    ],
    ['not listed, but the network is', ['10.0.0.0/8'], 'a.noi-bo', ['10.0.0.5'], ['10.0.0.5']],
    ['not listed, outside the network', ['10.0.0.0/8'], 'a.noi-bo', ['93.184.216.34'], []],
    [
      'only what is allowed of several',
      ['a.noi-bo', '10.0.0.0/8'],
      'a.noi-bo',
      ['192.168.1.1', '10.0.0.5'],
      ['10.0.0.5'],
    ],
    ['localhost by name', ['localhost'], 'localhost', ['127.0.0.1'], ['127.0.0.1']],
    ['localhost by name, resolved elsewhere', ['localhost'], 'localhost', ['10.0.0.5'], []],
    ['carrier-grade NAT is inside', ['api.example.vn'], 'api.example.vn', ['100.64.0.1'], []],
    ['nothing resolved', ['api.example.vn'], 'api.example.vn', [], []],
  ];
  for (const [title, addresses, host, resolved, expected] of cases)
    it(title, async () => {
      const egress = createEgress({
        addresses,
        folders: [],
        resolver: () =>
          Promise.resolve(resolved.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))),
      });
      const all = await lookedUp(egress, host, 443, { all: true });
      const first = await lookedUp(egress, host, 443, { all: false });
      if (expected.length === 0) {
        assert.ok(all.error instanceof EgressDenied);
        assert.ok(first.error instanceof EgressDenied);
        await assert.rejects(egress.resolve(host, 443), EgressDenied);
        return;
      }
      assert.deepEqual(
        (all.address as { address: string }[]).map(({ address }) => address),
        expected,
      );
      assert.equal(first.address, expected[0]);
      assert.equal(await egress.resolve(host, 443), expected[0]);
    });

  it('asks the resolver once for a lookup, so what was vetted is what is dialled', async () => {
    let asked = 0;
    const egress = createEgress({
      addresses: ['api.example.vn'],
      folders: [],
      resolver: () => {
        asked += 1;
        return Promise.resolve([{ address: asked === 1 ? '93.184.216.34' : '127.0.0.1', family: 4 }]);
      },
    });
    assert.equal((await lookedUp(egress, 'api.example.vn', 443, { all: false })).address, '93.184.216.34');
    assert.equal(asked, 1);
  });

  it('passes a failed resolution on', async () => {
    const egress = createEgress({
      addresses: ['api.example.vn'],
      folders: [],
      resolver: () => Promise.reject(new Error('ENOTFOUND')),
    });
    assert.match(String((await lookedUp(egress, 'api.example.vn', 443, { all: true })).error), /ENOTFOUND/);
  });

  for (const entry of [
    '',
    '*',
    '*.example.vn',
    'http://example.vn',
    'example.vn:0',
    'example.vn:65536',
    '10.0.0.0/33',
    'a b',
    '0x7f.1',
    'user@host',
  ])
    it(`refuses the entry ${JSON.stringify(entry)}`, () => {
      assert.throws(() => createEgress({ addresses: [entry], folders: [] }), TypeError);
    });
});

describe('egress: files', () => {
  let root = '';
  before(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'lgsp-egress-')));
    for (const folder of ['allowed/inner', 'allowed-too', 'outside'])
      mkdirSync(join(root, folder), { recursive: true });
    for (const file of [
      'allowed/a.json',
      'allowed/inner/b.json',
      'allowed-too/c.json',
      'outside/secret.json',
    ])
      writeFileSync(join(root, file), '[]');
    symlinkSync(join(root, 'outside/secret.json'), join(root, 'allowed/link.json'));
    symlinkSync(join(root, 'outside'), join(root, 'allowed/linked'));
    symlinkSync(join(root, 'allowed/a.json'), join(root, 'outside/back.json'));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  const cases: readonly [path: string, real: string | null][] = [
    ['allowed/a.json', 'allowed/a.json'],
    ['allowed/inner/b.json', 'allowed/inner/b.json'],
    ['allowed/inner/../a.json', 'allowed/a.json'],
    ['outside/back.json', 'allowed/a.json'],
    ['allowed-too/c.json', null],
    ['allowed/../outside/secret.json', null],
    ['allowed/link.json', null],
    ['allowed/linked/secret.json', null],
    ['allowed/missing.json', null],
    ['allowed', null],
  ];
  for (const [path, real] of cases)
    it(`${path} ${real === null ? 'is denied' : `is ${real}`}`, () => {
      const egress = createEgress({ addresses: [], folders: [join(root, 'allowed')] });
      if (real === null) assert.throws(() => egress.assertFile(join(root, path)), EgressDenied);
      else assert.equal(egress.assertFile(join(root, path)), join(root, real));
    });

  it('allows nothing when no folder is listed', () => {
    assert.throws(
      () => createEgress({ addresses: [], folders: [] }).assertFile(join(root, 'allowed/a.json')),
      EgressDenied,
    );
  });
});
