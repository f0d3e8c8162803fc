import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishedKeys } from '../../gateway/audit/published-keys.js';
import type { Database } from '../../gateway/store/database.js';
import { type ChildGateway, prepareChildGateway } from '../kit/child-gateway.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { eventually, testSettings } from '../kit/gateway.js';
import { soundLog } from '../kit/log.js';
import { type LogWitness, startLogWitness } from '../kit/log-witness.js';
import { freePort } from '../kit/ports.js';

const postgres = engines.find(({ name }) => name === 'PostgreSQL');
/** Past the lease that a killed node has left. */
const LATER_MS = 120_000;

/** Of each turn at the verification of the log, which node took it. */
async function noteTurns({ knex }: Database): Promise<void> {
  await knex.raw('CREATE TABLE watch_turns (node text NOT NULL)');
  await knex.raw(`CREATE FUNCTION note_turn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.leased_by IS DISTINCT FROM OLD.leased_by AND NEW.leased_by IS NOT NULL THEN
      INSERT INTO watch_turns VALUES (NEW.leased_by);
    END IF;
    RETURN NEW;
  END $$`);
  await knex.raw(
    'CREATE TRIGGER note_turn AFTER UPDATE ON log_watch FOR EACH ROW EXECUTE FUNCTION note_turn()',
  );
}

describe('two nodes that start at the same instant on PostgreSQL', function () {
  this.timeout(120_000);
  let test: TestDatabase | undefined;
  let witness: LogWitness;
  let keys: readonly string[] = [];
  let nodes: ChildGateway[] = [];
  let settings: Record<string, unknown>[] = [];
  let token = '';

  before(async function () {
    if (postgres === undefined) return this.skip();
    const fresh = await postgres.create({ migrated: false });
    test = fresh;
    witness = await startLogWitness(() => keys);
    const to = [{ kind: 'http', name: 'nhan-chung', url: witness.url, verifierKey: witness.verifierKey }];
    const ports = [await freePort(), await freePort()];
    settings = ports.map((port) => ({
      ...testSettings(fresh, port),
      publicUrl: `http://localhost:${ports[0]}`,
      witnesses: { everySeconds: 1, to },
      verification: { everyHours: 24, share: 1 },
    }));
  });

  after(async () => {
    for (const node of nodes) await node.kill();
    if (test === undefined) return;
    await witness.close();
    await test.drop();
  });

  const database = (): Database => (test as TestDatabase).database;

  async function startBoth(aheadMs = 0): Promise<void> {
    const ready = settings.map((one) => prepareChildGateway(one, { aheadMs }));
    const started = await Promise.allSettled(ready.map((one) => one.start()));
    nodes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = started.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** A call to each node leaves a record. */
  async function callBoth(): Promise<void> {
    const headers = { authorization: `Bearer ${token}` };
    for (const { url } of nodes) assert.equal((await fetch(`${url}/api/me`, { headers })).status, 200);
  }

  it('both come up on an empty database, as one installation', async () => {
    await startBoth();
    const jwks = await Promise.all(
      nodes.map(async ({ url }) => await (await fetch(`${url}/oidc/jwks`)).text()),
    );
    assert.equal(nodes.length, 2);
    assert.equal(jwks[0], jwks[1]);
    const { dataDir } = test as TestDatabase;
    const admin = JSON.parse(readFileSync(join(dataDir, 'admin.json'), 'utf8')) as Record<string, string>;
    const basic = Buffer.from(`${admin['clientId']}:${admin['secret']}`).toString('base64');
    const api = `${String(settings[0]?.['publicUrl'])}/api`;
    for (const { url } of nodes) {
      const body = new URLSearchParams({ grant_type: 'client_credentials', resource: api });
      const headers = { authorization: `Basic ${basic}` };
      const answer = await fetch(`${url}/oidc/token`, { method: 'POST', headers, body });
      assert.equal(answer.status, 200);
      token = ((await answer.json()) as { access_token: string }).access_token;
    }
    await callBoth();
    assert.ok((await soundLog(database())).length >= 2);
  });

  it('show no head to a witness twice', async () => {
    keys = [...((await publishedKeys(database()))?.keys ?? [])];
    for (let heads = 1; heads <= 4; heads += 1) {
      await callBoth();
      await eventually(() => (witness.asked.length >= heads ? true : undefined), `head ${heads} is shown`);
    }
    const shown = witness.asked.map(({ size }) => size);
    assert.deepEqual(
      shown,
      [...new Set(shown)].toSorted((a, b) => a - b),
    );
    // Whoever asks continues from what the other one was told.
    assert.deepEqual(
      witness.asked.map(({ old }) => old),
      [0, ...shown.slice(0, -1)],
    );
  });

  it('verify the log once, not each of them', async () => {
    for (const node of nodes) await node.kill();
    await noteTurns(database());
    const { knex } = database();
    // Who verifies waits at this table: the turn lasts until both are up and have looked.
    const holding = await knex.transaction();
    await holding.raw('LOCK TABLE record_subjects IN ACCESS EXCLUSIVE MODE');
    await startBoth(LATER_MS);
    const before = witness.asked.length;
    for (let heads = 1; heads <= 6; heads += 1) {
      await callBoth();
      // Heads are a second apart; a node looks every five.
      await eventually(() => (witness.asked.length >= before + heads ? true : undefined), 'both go on');
    }
    const begun = await knex('log_watch').first('leased_by', 'finished_at');
    assert.ok(begun.leased_by !== null, 'nobody verifies');
    await holding.commit();
    await eventually(async () => {
      const { finished_at } = await knex('log_watch').first('finished_at');
      return finished_at > (begun.finished_at ?? 0) ? true : undefined;
    }, 'the log is verified');
    const { ok, leased_by } = await knex('log_watch').first('ok', 'leased_by');
    assert.deepEqual([ok, leased_by], [true, null]);
    assert.deepEqual(
      (await knex('watch_turns')).map(({ node }: { node: string }) => node),
      [begun.leased_by],
    );
  });
});
