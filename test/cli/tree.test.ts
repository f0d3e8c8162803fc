import assert from 'node:assert/strict';
import { loadTree } from '../../gateway/cli/apply.js';
import { TreeError } from '../../gateway/cli/substitute.js';
import { DOCUMENT } from '../control/desk.js';
import { folderWith } from './folder.js';

const SERVICE = {
  'services/a/manifest.yaml': 'provider: H35\nslug: a\n',
  'services/a/openapi.yaml': DOCUMENT,
  'services/a/credentials.yaml': 'apiKey: { env: A_KEY }\n',
};

function load(files: Record<string, string>, env: Record<string, string> = {}) {
  const folder = folderWith(files);
  try {
    return loadTree(folder.path, env);
  } finally {
    folder.drop();
  }
}

describe('a folder for lgsp apply', () => {
  it('may leave out what it has nothing to say of', () => {
    for (const [part, found] of Object.entries(load({}))) assert.deepEqual(found, [], part);
  });

  it('holds documents byte for byte, credentials by variable, and publishes unless told otherwise', () => {
    const { services } = load(
      { ...SERVICE, 'services/a/openapi.yaml': `${DOCUMENT}# \${PORT}\n` },
      { A_KEY: 'bi-mat' },
    );
    assert.deepEqual(services, [
      {
        folder: 'services/a',
        manifest: { provider: 'H35', slug: 'a' },
        document: `${DOCUMENT}# \${PORT}\n`,
        credentials: { apiKey: 'bi-mat' },
        state: 'published',
        reason: null,
      },
    ]);
    const states = '- { service: a, state: suspended, reason: bảo trì }\n';
    const [told] = load({ ...SERVICE, 'service-states.yaml': states }, { A_KEY: 'x' }).services;
    assert.deepEqual([told?.state, told?.reason], ['suspended', 'bảo trì']);
  });

  const system = (more: string) => ({
    'systems.yaml': `- { id: a, agency: H35, name: A, roles: [consumer], auth: secret${more} }\n`,
  });
  const faults: readonly [string, Record<string, string>, RegExp][] = [
    ['an unknown field', system(', password: x'), /systems\.yaml: \/0.*password/],
    [
      'an unknown role',
      { 'systems.yaml': '- { id: a, agency: H, name: A, roles: [root], auth: key }' },
      /\/0\/roles\/0/,
    ],
    ['a lock without a reason', system(', state: locked'), /\/0\/reason/],
    ['a public key of a system that uses a secret', system(', publicJwk: { kty: EC }'), /\/0\/publicJwk/],
    [
      'a day that is none',
      { 'agencies.yaml': "- { code: H, name: A, level: other, validFrom: '2025-02-30' }" },
      /validFrom/,
    ],
    ['a service without a document', { 'services/a/manifest.yaml': 'slug: a' }, /openapi\.yaml is missing/],
    ['a credential without a value', SERVICE, /A_KEY has no value/],
    [
      'a secret in place of its variable',
      { ...SERVICE, 'services/a/credentials.yaml': 'apiKey: bi-mat' },
      /credentials\.yaml/,
    ],
    [
      'the state of a service that is not there',
      { ...SERVICE, 'service-states.yaml': '- { service: b, state: draft }' },
      /services\/b/,
    ],
    [
      'a suspension without a reason',
      { ...SERVICE, 'service-states.yaml': '- { service: a, state: suspended }' },
      /reason/,
    ],
  ];
  for (const [name, files, said] of faults)
    it(`is refused for ${name}`, () =>
      assert.throws(
        () => load(files, name.includes('credential without') ? {} : { A_KEY: 'x' }),
        (error) =>
          error instanceof TreeError && said.test(error.message) && !error.message.includes('bi-mat'),
      ));

  it('is the sample province', () => {
    const env = Object.fromEntries(
      [
        'DVHC_FILE',
        'CO_QUAN_FILE',
        'MOT_CUA_API_KEY',
        'DOANH_NGHIEP_API_KEY',
        'THU_NGHIEM_API_KEY',
        'MOT_CUA_PORT',
        'DOANH_NGHIEP_PORT',
        'THU_NGHIEM_PORT',
        'NGUON_TAT_PORT',
        'HAN_DUNG',
      ].map((name) => [name, name === 'HAN_DUNG' ? '2027-01-01' : '1']),
    );
    const tree = loadTree('examples/lai-chau', env);
    assert.ok(tree.agencies.length > 10 && tree.systems.length > 5 && tree.services.length > 4);
    assert.ok(tree.services.some(({ state }) => state === 'retired'));
  });
});
