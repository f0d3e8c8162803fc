import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { Problem } from '../../gateway/base/problem.js';
import {
  memoryReplays,
  type ProofReplays,
  redisReplays,
  storeReplays,
} from '../../gateway/identity/proof-replays.js';
import { deleteExpired } from '../../gateway/store/oidc-payloads.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { freePort } from '../kit/ports.js';
import { HeldClock } from './held-clock.js';

const START = 1_800_000_000_500;

async function unchecked(work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof Problem, String(error));
    assert.deepEqual([error.code, error.parts.rule?.state], ['overloaded', 'replay_unchecked']);
    assert.equal(error.parts.headers?.['Retry-After'], '1');
    return true;
  });
}

/** What every memory of used proofs must do, whichever keeps it. */
function remembers(open: () => { here: ProofReplays; there: ProofReplays; clock: HeldClock }): void {
  it('says yes to exactly one of many at once', async () => {
    const { here, there, clock } = open();
    const key = randomUUID();
    const asked = Array.from({ length: 20 }, (_, at) =>
      (at % 2 ? here : there).first(key, clock.now() + 60_000),
    );
    assert.equal((await Promise.all(asked)).filter(Boolean).length, 1);
  });

  it('takes different keys for different proofs', async () => {
    const { here, clock } = open();
    assert.ok(await here.first(randomUUID(), clock.now() + 60_000));
    assert.ok(await here.first(randomUUID(), clock.now() + 60_000));
  });
}

for (const engine of engines)
  describe(`used proofs in ${engine.name}`, () => {
    let test: TestDatabase;
    let clock: HeldClock;
    before(async () => {
      test = await engine.create();
    });
    beforeEach(() => {
      clock = new HeldClock(START);
    });
    after(() => test.drop());

    remembers(() => ({
      here: storeReplays(test.database, clock),
      there: storeReplays(test.again(), clock),
      clock,
    }));

    it('are forgotten when their time is over, and swept away', async () => {
      const replays = storeReplays(test.database, clock);
      const key = randomUUID();
      assert.ok(await replays.first(key, START + 1000));
      clock.move(999);
      assert.equal(await replays.first(key, START + 1000), false);
      clock.move(1);
      assert.ok(await replays.first(key, START + 2000));
      clock.move(120_000);
      await deleteExpired(test.database.knex, clock.now(), 1000);
      assert.deepEqual(await test.database.knex('oidc_payloads').where({ model: 'DpopProof' }), []);
    });

    it('are refused while the database is away', async () => {
      const other = test.again();
      await other.close();
      await unchecked(storeReplays(other, clock).first(randomUUID(), START + 1000));
    });
  });

describe('used proofs in memory', () => {
  let clock: HeldClock;
  beforeEach(() => {
    clock = new HeldClock(START);
  });

  remembers(() => {
    const here = memoryReplays(clock);
    return { here, there: here, clock };
  });

  it('are forgotten when their time is over', async () => {
    const replays = memoryReplays(clock);
    assert.ok(await replays.first('a', START + 1000));
    clock.move(999);
    assert.equal(await replays.first('a', START + 1000), false);
    clock.move(1);
    assert.ok(await replays.first('a', START + 2000));
  });

  it('know nothing from before the second of their start', () => {
    assert.equal(memoryReplays(clock).since, START - 500);
  });

  it('refuse what they have no room for, until something is over', async () => {
    const replays = memoryReplays(clock, 2);
    assert.ok(await replays.first('a', START + 1500));
    assert.ok(await replays.first('b', START + 5000));
    await unchecked(replays.first('c', START + 5000));
    assert.equal(await replays.first('a', START + 1500), false, 'and forget nothing for it');
    clock.move(1500);
    assert.ok(await replays.first('c', START + 5000));
    await unchecked(replays.first('d', START + 5000));
  });
});

const redisUrl = process.env['LGSP_TEST_REDIS_URL'];
const open = (url: string): Redis =>
  new Redis(url, {
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    lazyConnect: true,
    retryStrategy: null,
  });

if (redisUrl !== undefined)
  describe('used proofs in Redis', () => {
    let one: Redis;
    let two: Redis;
    const clock = new HeldClock(START);
    before(async () => {
      one = open(redisUrl);
      two = open(redisUrl);
      await Promise.all([one.connect(), two.connect()]);
    });
    after(() => {
      one.disconnect();
      two.disconnect();
    });

    remembers(() => ({ here: redisReplays(one, clock), there: redisReplays(two, clock), clock }));

    it('are kept as long as they could be sent again', async () => {
      const key = randomUUID();
      await redisReplays(one, clock).first(key, START + 60_000);
      const left = await one.pttl(`lgsp:dpop:${key}`);
      assert.ok(left > 30_000 && left <= 60_000, String(left));
    });
  });

describe('used proofs while Redis is away', () => {
  it('are refused', async () => {
    const redis = open(`redis://127.0.0.1:${await freePort()}`);
    redis.on('error', () => undefined);
    await redis.connect().catch(() => undefined);
    await unchecked(redisReplays(redis, new HeldClock(START)).first(randomUUID(), START + 1000));
    redis.disconnect();
  });
});
