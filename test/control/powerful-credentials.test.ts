import { exportJWK, generateKeyPair } from 'jose';
import { makeIdentity } from '../kit/certificates.js';
import { engines } from '../kit/databases.js';
import { type Caller, Desk, refused } from './desk.js';

const { cert } = makeIdentity('quan-ly', { days: 36_500 });

/** What is sent for each kind of credential. */
const KINDS: readonly [kind: string, path: string, body: () => Promise<object>][] = [
  ['secret', 'secrets', () => Promise.resolve({})],
  [
    'key',
    'keys',
    async () => ({ jwk: await exportJWK((await generateKeyPair('ES256', { extractable: true })).publicKey) }),
  ],
  ['certificate', 'certificates', () => Promise.resolve({ certificate: cert })],
];

for (const engine of engines) {
  describe(`further credentials of powerful systems on ${engine.name}`, () => {
    let desk: Desk;
    const callers = new Map<string, Caller>();
    beforeEach(async () => {
      desk = await Desk.open(engine);
      callers.set('operator', await desk.system('van-hanh', 'H35', ['operator']));
      callers.set('manager', await desk.system('lanh-dao', 'H35', ['manager', 'operator']));
      await desk.system('quan-ly', 'H35', ['manager']);
      await desk.system('mot-cua', 'H35', ['consumer']);
    });
    afterEach(() => desk.close());

    const cases: readonly [who: string, whose: string, refusal: boolean][] = [
      ['operator', 'quan-ly', true],
      ['operator', 'van-hanh', false],
      ['operator', 'mot-cua', false],
      ['manager', 'quan-ly', false],
    ];
    for (const [kind, path, body] of KINDS)
      for (const [who, whose, refusal] of cases)
        it(`a ${kind} for ${whose} ${refusal ? 'does not come' : 'may come'} from an ${who}`, async () => {
          const caller = callers.get(who) as Caller;
          const added = desk.call(caller, 'POST', `/systems/${whose}/${path}`, await body());
          if (refusal) await refused(added, 'role_required');
          else await added;
        });
  });
}
