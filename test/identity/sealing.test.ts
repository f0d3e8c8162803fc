import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../../gateway/base/config.js';
import { loadMasterKey } from '../../gateway/identity/master-key.js';
import { createSealing, openSealing, SealError } from '../../gateway/identity/sealing.js';
import { embedded, engines } from '../kit/databases.js';

const KEY = randomBytes(32);
const BASE64 = KEY.toString('base64');

describe('sealing', () => {
  const sealing = createSealing(KEY);

  for (const [name, plain] of [
    ['an empty text', ''],
    ['Vietnamese text', 'mật khẩu của Sở Nội vụ'],
    ['a long text', 'x'.repeat(100_000)],
  ] as const)
    it(`gives back ${name}, which cannot be seen in the sealed form`, () => {
      const sealed = sealing.seal('connector', 'svc#key', plain);
      assert.match(sealed, /^s1\.[\w-]{16}\.[\w-]{22,}$/);
      assert.equal(plain !== '' && sealed.includes(plain), false);
      assert.equal(sealing.open('connector', 'svc#key', sealed).toString('utf8'), plain);
    });

  it('gives back bytes', () => {
    const bytes = randomBytes(64);
    assert.deepEqual(sealing.open('a', 'b', sealing.seal('a', 'b', bytes)), bytes);
  });

  it('never seals twice alike', () => {
    assert.notEqual(sealing.seal('a', 'b', 'c'), sealing.seal('a', 'b', 'c'));
  });

  const sealed = sealing.seal('purpose', 'id', 'the secret');
  const [version, nonce, text] = sealed.split('.') as [string, string, string];
  const flip = (part: string, at: number): string =>
    part.slice(0, at) + (part[at] === 'A' ? 'B' : 'A') + part.slice(at + 1);
  for (const [name, open] of [
    ['under another purpose', () => sealing.open('other', 'id', sealed)],
    ['for another id', () => sealing.open('purpose', 'other', sealed)],
    ['with another master key', () => createSealing(randomBytes(32)).open('purpose', 'id', sealed)],
    ['with a changed nonce', () => sealing.open('purpose', 'id', `${version}.${flip(nonce, 2)}.${text}`)],
    ['with a changed text', () => sealing.open('purpose', 'id', `${version}.${nonce}.${flip(text, 2)}`)],
    [
      'with a changed tag',
      () => sealing.open('purpose', 'id', `${version}.${nonce}.${flip(text, text.length - 4)}`),
    ],
    ['cut short', () => sealing.open('purpose', 'id', sealed.slice(0, -4))],
    ['of another version', () => sealing.open('purpose', 'id', sealed.replace('s1', 's2'))],
    ['that was never sealed', () => sealing.open('purpose', 'id', 'the secret')],
    ['that is empty', () => sealing.open('purpose', 'id', '')],
  ] as const)
    it(`opens nothing ${name}`, () => {
      assert.throws(
        open,
        (error: Error) => error instanceof SealError && !error.message.includes('the secret'),
      );
    });
});

describe('master key', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'lgsp-test-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  it('comes from the settings, without a file', () => {
    assert.deepEqual(loadMasterKey({ masterKey: BASE64, dataDir, engine: 'sqlite' }), KEY);
    assert.deepEqual(loadMasterKey({ masterKey: ` ${BASE64}\n`, dataDir, engine: 'postgres' }), KEY);
    assert.deepEqual(readdirSync(dataDir), []);
  });

  for (const [name, masterKey] of [
    ['is empty', ''],
    ['is too short', randomBytes(31).toString('base64')],
    ['is too long', randomBytes(33).toString('base64')],
    ['is not base64', `${BASE64.slice(0, -1)}!`],
    ['has something after it', `${BASE64} and more`],
  ] as const)
    it(`is refused when it ${name}, without being repeated`, () => {
      assert.throws(
        () => loadMasterKey({ masterKey, dataDir, engine: 'sqlite' }),
        (error: Error) =>
          error instanceof ConfigError && (masterKey === '' || !error.message.includes(masterKey)),
      );
    });

  it('is made once with SQLite, for the owner alone', () => {
    const first = loadMasterKey({ dataDir, engine: 'sqlite' });
    assert.equal(first.length, 32);
    assert.equal(statSync(join(dataDir, 'master.key')).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(dataDir), ['master.key'], 'no draft is left');
    assert.deepEqual(loadMasterKey({ dataDir, engine: 'sqlite' }), first);
  });

  it('is required with PostgreSQL', () => {
    assert.throws(
      () => loadMasterKey({ dataDir, engine: 'postgres' }),
      (error: Error) => error instanceof ConfigError && /LGSP_MASTER_KEY/.test(error.message),
    );
    assert.equal(existsSync(join(dataDir, 'master.key')), false);
  });

  it('is refused when its file is damaged, and the file is left as it is', () => {
    writeFileSync(join(dataDir, 'master.key'), 'not a key');
    assert.throws(() => loadMasterKey({ dataDir, engine: 'sqlite' }), ConfigError);
    assert.equal(readFileSync(join(dataDir, 'master.key'), 'utf8'), 'not a key');
  });
});

for (const engine of engines) {
  describe(`the sealing of an installation on ${engine.name}`, () => {
    it('opens again with the same key and refuses another one, changing nothing', async () => {
      const test = await engine.create();
      try {
        const { database, dataDir } = test;
        const sealed = (await openSealing({ masterKey: BASE64, dataDir, database })).seal('a', 'b', 'c');
        const again = await openSealing({ masterKey: BASE64, dataDir, database: test.again() });
        assert.equal(again.open('a', 'b', sealed).toString(), 'c');
        const before = await database.knex('installation');
        const other = randomBytes(32).toString('base64');
        await assert.rejects(openSealing({ masterKey: other, dataDir, database }), (error: Error) => {
          assert.ok(error instanceof ConfigError);
          assert.match(error.message, /not the one this installation was sealed with/);
          assert.equal(error.message.includes(other), false);
          return true;
        });
        assert.deepEqual(await database.knex('installation'), before);
      } finally {
        await test.drop();
      }
    });

    it('lets one master key win when nodes with different ones start together', async () => {
      const test = await engine.create();
      try {
        const { dataDir } = test;
        const nodes = [test.database, test.again(), test.again()];
        const started = await Promise.allSettled(
          nodes.map((database) =>
            openSealing({ masterKey: randomBytes(32).toString('base64'), dataDir, database }),
          ),
        );
        assert.equal(started.filter((node) => node.status === 'fulfilled').length, 1);
      } finally {
        await test.drop();
      }
    });
  });
}

describe('the sealing of an installation with a key file', () => {
  it('does not make a new key for a database whose own was lost', async () => {
    const test = await embedded.create();
    try {
      const { database, dataDir } = test;
      await openSealing({ dataDir, database });
      rmSync(join(dataDir, 'master.key'));
      await assert.rejects(openSealing({ dataDir, database }), (error: Error) => {
        assert.ok(error instanceof ConfigError);
        return /missing/.test(error.message);
      });
      assert.equal(existsSync(join(dataDir, 'master.key')), false);
    } finally {
      await test.drop();
    }
  });
});
