import assert from 'node:assert/strict';
import { engines } from '../kit/databases.js';
import { allRecords } from '../kit/gateway.js';
import { TestIdentityProvider } from '../kit/identity-provider.js';
import { Office, PERSON } from '../kit/people.js';
import type { TestSignIn } from '../kit/sign-in.js';

for (const engine of engines) {
  describe(`the second factor of another provider, on ${engine.name}`, function () {
    this.timeout(60_000);
    let provider: TestIdentityProvider;
    let office: Office;

    before(async () => {
      provider = await new TestIdentityProvider().start();
    });
    after(() => provider.close());
    afterEach(() => office.close());

    async function arrive(evidence: object, claims: Record<string, unknown>): Promise<TestSignIn> {
      const { issuer } = provider;
      const label = 'Nơi khác';
      const accounts = { somebody: PERSON };
      const identityProvider = { issuer, clientId: 'lgsp', label, accounts, ...evidence };
      office = await Office.open(engine, { people: { identityProvider } });
      office.clock.at = Date.now();
      await office.register(['manager']);
      provider.claims = claims;
      const signIn = await office.begin();
      const link = /href="(\/oidc\/sign-in\/[^"]+\/external[^"]*)"/.exec(signIn.page.text)?.[1] ?? '';
      const departure = await signIn.browser.request(link);
      return await signIn.open(provider.prove(departure.location ?? '').back);
    }

    it('is enough where it is said to be asked for there', async () => {
      const signIn = await arrive({ secondFactor: true, secondFactorAmr: ['mfa'] }, { amr: ['pwd', 'mfa'] });
      assert.equal(signIn.step, 'rules', 'no code of ours');
      await signIn.send({ accept: 'yes' });
      const { body } = await signIn.exchange();
      assert.equal((await office.asPerson(body.access_token)).body.user.secondFactor, false);
      const last = (await allRecords(office.test.database)).filter(
        ({ target }) => target?.noun === 'sign_in',
      );
      assert.deepEqual((last.at(-1)?.target?.after as { methods: string[] }).methods, ['ext', 'mfa']);
    });

    for (const [why, evidence] of [
      ['there is no evidence of it', { secondFactor: true, secondFactorAmr: ['mfa'] }],
      ['it is not switched on', { secondFactorAmr: ['pwd'] }],
    ] as const)
      it(`is not where ${why}`, async () => {
        assert.equal((await arrive(evidence, { amr: ['pwd'] })).step, 'enrol');
      });
  });
}
