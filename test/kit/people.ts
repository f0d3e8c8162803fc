import assert from 'node:assert/strict';
import type { TestDatabase, TestEngine } from './databases.js';
import { allRecords, eventually, startTestGateway, type TestGateway } from './gateway.js';
import { addAgency, addPaper, addSystem, PAPER } from './province.js';
import { oneTimeCode, type TestBrowser, TestSignIn } from './sign-in.js';

export const CHOSEN = 'con trâu đi trước cái cày';
export const PERSON = 'le.thi.mau';

/** A gateway whose operator registers people, with a clock of its own. */
export class Office {
  readonly test: TestDatabase;
  readonly gateway: TestGateway;
  readonly clock: { at: number; now(): number };

  private constructor(test: TestDatabase, gateway: TestGateway, clock: { at: number; now(): number }) {
    this.test = test;
    this.gateway = gateway;
    this.clock = clock;
  }

  static async open(engine: TestEngine, settings: Record<string, unknown> = {}): Promise<Office> {
    const clock = { at: Date.parse('2026-03-02T02:00:00Z'), now: () => clock.at };
    const test = await engine.create();
    await addAgency(test.database, 'H35.11');
    await addAgency(test.database, 'H35.90');
    await addPaper(test.database, 'H35.90');
    await addSystem(test.database, 'van-hanh', 'H35.90', { roles: ['operator', 'manager'] });
    const gateway = await startTestGateway(test, settings, { clock });
    return new Office(test, gateway, clock);
  }

  async close(): Promise<void> {
    await this.gateway.close();
    await this.test.drop();
  }

  /** A call with the token of somebody who signed in. */
  async asPerson(token: string, method = 'GET', path = '/me', body?: object) {
    const response = await fetch(`${this.gateway.url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** A call of the operator, with a new token each time: the clock moves. */
  async api(method: string, path: string, body?: object) {
    return await this.asPerson(await this.gateway.token('van-hanh', 'api'), method, path, body);
  }

  /** @returns the temporary password */
  async register(roles: readonly string[] = ['consumer'], id = PERSON): Promise<string> {
    const person = { id, agency: 'H35.11', name: 'Lê Thị Mẫu', roles, document: PAPER };
    const { status, body } = await this.api('POST', '/people', person);
    assert.equal(status, 201, JSON.stringify(body));
    return body.temporaryPassword as string;
  }

  async reset(what: 'password' | 'second-factor'): Promise<void> {
    const path = `/people/${PERSON}/${what}-reset`;
    const { status, body } = await this.api('POST', path, { reason: 'nghi lộ', document: PAPER });
    assert.equal(status, 200, JSON.stringify(body));
  }

  begin(browser?: TestBrowser): Promise<TestSignIn> {
    return new TestSignIn(this.gateway.url, browser).begin();
  }

  /** From the temporary password to the first token. */
  async firstSignIn(temporary: string) {
    const signIn = await this.begin();
    await signIn.send({ name: PERSON, password: temporary });
    await signIn.send({ password: CHOSEN, again: CHOSEN });
    let secret: string | null = null;
    if (signIn.step === 'enrol') {
      ({ secret } = signIn);
      await signIn.send({ code: oneTimeCode(secret, this.clock.at) });
    }
    await signIn.send({ accept: 'yes' });
    const { status, body } = await signIn.exchange();
    assert.equal(status, 200, JSON.stringify(body));
    return { signIn, tokens: body, secret };
  }

  /** What was recorded at the door, oldest first. */
  async doorActs(): Promise<string[]> {
    return (await allRecords(this.test.database))
      .filter(({ target }) => target?.noun === 'sign_in')
      .map(({ target }) => (target?.after as { act: string }).act);
  }

  /** From now on nothing can be recorded. @returns makes it possible again */
  async withoutRecord(): Promise<() => Promise<void>> {
    const { knex, ...database } = this.test.database;
    if (database.engine === 'sqlite')
      await knex.raw(`CREATE TRIGGER full BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'full'); END`);
    else {
      await knex.raw(
        `CREATE FUNCTION full_disk() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'full'; END $$ LANGUAGE plpgsql`,
      );
      await knex.raw(
        'CREATE TRIGGER full_log BEFORE INSERT ON records FOR EACH ROW EXECUTE FUNCTION full_disk()',
      );
    }
    return async () => {
      if (database.engine === 'sqlite') await knex.raw('DROP TRIGGER full');
      else await knex.raw('DROP TRIGGER full_log ON records');
      await eventually(
        async () => ((await this.api('GET', '/me').catch(() => null))?.status === 200 ? true : undefined),
        'records can be written again',
      );
    };
  }
}
