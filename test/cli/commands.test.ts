import assert from 'node:assert/strict';
import { migrationSource } from '../../migrations/index.js';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { noteSigner, signCheckpoint } from '../../gateway/audit/checkpoint.js';
import { credentialFile } from '../../gateway/cli/credential-file.js';
import { runCommand } from '../../gateway/cli/program.js';
import { type Database, openDatabase } from '../../gateway/store/database.js';
import { keepInstallationValue } from '../../gateway/store/installation.js';
import { aRecord } from '../audit/records.js';
import { cutAt, ORIGIN, startLog, tamper, verifierKeys, logKeys } from '../audit/log.js';
import { DOCUMENT, manifestOf } from '../control/desk.js';
import { folderWith, Terminal } from './folder.js';

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const terminal = new Terminal(env);
  const code = await runCommand(args, terminal);
  return { code, out: terminal.stdout, err: terminal.stderr };
}

describe('lgsp', function () {
  this.timeout(60_000);
  let folder: ReturnType<typeof folderWith>;
  let env: Record<string, string>;
  beforeEach(() => {
    folder = folderWith({
      'secret.txt': 'bi-mat-123\n',
      'service/manifest.yaml': JSON.stringify(manifestOf('H35.11', 'mot')),
      'service/openapi.yaml': DOCUMENT,
    });
    env = { LGSP_DATA_DIR: join(folder.path, 'data'), LGSP_LOG_LEVEL: 'silent' };
  });
  afterEach(() => folder.drop());

  const wrong: readonly [string, string[], RegExp][] = [
    ['no command', [], /Usage/],
    ['an unknown command', ['frobnicate'], /unknown command/],
    ['an unknown option', ['migrate', '--sideways'], /unknown option/],
    ['a missing option', ['apply'], /required option/],
    ['an option that takes no secret', ['token', '--secret', 'abc'], /unknown option/],
    ['nobody who signs in', ['token'], /--client/],
    ['no way to sign in', ['token', '--client', 'a'], /--secret-file/],
    ['two ways to sign in', ['token', '--client', 'a', '--secret-file', 'x', '--key-file', 'y'], /not both/],
    ['a secret file that is not there', ['token', '--client', 'a', '--secret-file', '/nowhere'], /ENOENT/],
    ['an address that is none', ['token', '--client', 'a', '--url', 'file:///etc/passwd'], /not the address/],
    ['a resource that is none', ['token', '--resource', 'all'], /choices/],
    ['a key that is none', ['keys', 'rotate', 'everything'], /choices/],
    ['settings that are not there', ['migrate', '--config', '/nowhere.yaml'], /no file/],
  ];
  for (const [name, args, said] of wrong)
    it(`ends with 2 for ${name}`, async () => {
      const { code, out, err } = await run(args);
      assert.equal(code, 2);
      assert.match(err, said);
      assert.equal(out, '');
    });

  it('helps whoever asks, and ends with 0', async () => {
    const { code, out } = await run(['--help']);
    assert.equal(code, 0);
    for (const name of ['start', 'migrate', 'apply', 'export', 'service', 'audit', 'keys', 'token'])
      assert.match(out, new RegExp(`\\b${name}\\b`));
  });

  it('refuses a misspelt setting, and not its own variables', async () => {
    assert.equal((await run(['migrate'], { ...env, LGSP_DATADIR: 'x' })).code, 2);
    const own = { ...env, LGSP_CLIENT_SECRET: 'x', LGSP_CLIENT_ID: 'a', LGSP_URL: 'http://localhost:1' };
    assert.equal((await run(['migrate'], own)).code, 0);
  });

  it('migrates up, again, and down', async () => {
    const all = (await migrationSource.getMigrations([])).length;
    const up = await run(['migrate', '--json'], env);
    assert.deepEqual(JSON.parse(up.out).steps.length, all);
    assert.match((await run(['migrate'], env)).out, /nothing to do/);
    assert.equal(JSON.parse((await run(['migrate', '--down', '--json'], env)).out).steps.length, all);
  });

  it('names who cannot be reached, and no secret', async () => {
    const { code, err } = await run([
      'token',
      '--client',
      'a',
      '--secret-file',
      join(folder.path, 'secret.txt'),
      '--url',
      'http://127.0.0.1:1',
    ]);
    assert.equal(code, 1);
    assert.match(err, /127\.0\.0\.1:1 cannot be reached/);
    assert.ok(!err.includes('bi-mat-123'));
  });

  it('repeats nothing of a key file that it cannot read', async () => {
    const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
    const file = join(folder.path, 'key.json');
    writeFileSync(file, JSON.stringify(jwk).slice(0, -1));
    const { code, err } = await run(['token', '--client', 'a', '--key-file', file]);
    assert.equal(code, 2);
    assert.ok(!err.includes(String(jwk['d']).slice(0, 8)));
  });

  describe('service check', () => {
    const check = (...more: string[]) =>
      run(['service', 'check', join(folder.path, 'service'), ...more], env);

    it('holds', async () => {
      const { code, out } = await check('--json');
      assert.equal(code, 0, out);
      assert.deepEqual(JSON.parse(out), {
        ok: true,
        faults: [],
        warnings: [],
        operations: [{ id: 'traCuu', method: 'GET', template: '/don-vi' }],
      });
    });

    it('does not hold, and says where', async () => {
      writeFileSync(
        join(folder.path, 'service/manifest.yaml'),
        JSON.stringify(manifestOf('H35.11', 'mot', { operations: {}, sharing: 'x' })),
      );
      const { code, out, err } = await check();
      assert.equal(code, 1);
      assert.match(out, /\/manifest\/sharing/);
      assert.match(err, /faults/);
    });

    it('warns of an example that does not fit, and holds all the same', async () => {
      const content = { 'application/json': { schema: { type: 'integer' }, example: 'x' } };
      const responses = { '200': { description: '', content } };
      const paths = { '/don-vi': { get: { operationId: 'traCuu', responses } } };
      const document = { openapi: '3.1.0', info: { title: 'x', version: '1.0.0' }, paths };
      writeFileSync(join(folder.path, 'service/openapi.yaml'), JSON.stringify(document));
      const { code, out, err } = await check();
      assert.equal(code, 0, out + err);
      assert.match(out, /^holds/);
      assert.match(err, /^warning: \/document\/paths\/~1don-vi\/get\/.*\/example the example does not fit/m);
    });

    it('names a state secret', async () => {
      writeFileSync(
        join(folder.path, 'service/manifest.yaml'),
        JSON.stringify(manifestOf('H35.11', 'mot', { classification: 'tuyet_mat' })),
      );
      const { code, out } = await check();
      assert.equal(code, 1);
      assert.match(out, /classification/);
    });

    it('judges addresses by the settings of a node, and by nothing else', async () => {
      const config = join(folder.path, 'node.yaml');
      writeFileSync(config, 'egress: { addresses: [10.0.0.0/8] }\n');
      const { code, out } = await check('--config', config);
      assert.equal(code, 1);
      assert.match(out, /baseUrl/);
    });

    it('knows credentials by name, without their values', async () => {
      writeFileSync(
        join(folder.path, 'service/manifest.yaml'),
        JSON.stringify(
          manifestOf('H35.11', 'mot', {
            connector: {
              kind: 'http',
              settings: { baseUrl: 'http://127.0.0.1:9', headers: { 'X-Key': '{credential.apiKey}' } },
            },
          }),
        ),
      );
      assert.equal((await check()).code, 1);
      writeFileSync(join(folder.path, 'service/credentials.yaml'), 'apiKey: { env: NOT_SET_ANYWHERE }\n');
      const { code, out } = await check();
      assert.equal(code, 0, out);
    });

    it('ends with 1 where there is no service', async () => {
      assert.equal((await run(['service', 'check', folder.path])).code, 1);
    });
  });

  describe('audit verify', () => {
    beforeEach(async () => {
      await run(['migrate'], env);
      const database = openDatabase({ dataDir: env['LGSP_DATA_DIR'] ?? '' });
      const { knex } = database;
      await keepInstallationValue(knex, 'log-origin', ORIGIN);
      await knex('signing_keys').insert({
        kid: 'log-1',
        purpose: 'log',
        public_jwk: JSON.stringify(logKeys.publicKey.export({ format: 'jwk' })),
        sealed_private: '-',
        created_at: 1,
        signs_from: 1,
        verifies_until: null,
      });
      const recorder = await startLog(database);
      for (let n = 0; n < 3; n += 1) await recorder.write(aRecord());
      await recorder.close();
      await database.close();
    });

    it('holds, with the keys of the installation or with a key from outside', async () => {
      const found = await run(['audit', 'verify'], env);
      assert.equal(found.code, 0, found.err);
      assert.match(found.out, /3 records/);
      const outside = await run(['audit', 'verify', '--json', '--key', ...verifierKeys], env);
      assert.deepEqual([outside.code, JSON.parse(outside.out).size], [0, 3]);
    });

    it('does not hold when a record was changed, and names it', async () => {
      const database = openDatabase({ dataDir: env['LGSP_DATA_DIR'] ?? '' });
      await tamper(database, (knex) => knex('records').where({ seq: 1 }).update({ leaf: '{}' }));
      await database.close();
      const { code, err } = await run(['audit', 'verify'], env);
      assert.equal(code, 1);
      assert.match(err, /record 1\b/);
      assert.equal(JSON.parse((await run(['audit', 'verify', '--json'], env)).out).fault.index, 1);
    });

    it('shows a person at a terminal a bar, and a program nothing', async () => {
      const shown = new PassThrough();
      const [terminal, program] = [new Terminal(env), new Terminal(env)];
      const screen = Object.assign(shown, { isTTY: true, columns: 80 });
      assert.equal(await runCommand(['audit', 'verify'], Object.assign(terminal, { terminal: screen })), 0);
      assert.match(String(shown.read()), /100 % \| 3 \/ 3/);
      assert.equal(terminal.stderr, '');
      const json = ['audit', 'verify', '--json'];
      assert.equal(await runCommand(json, Object.assign(program, { terminal: screen })), 0);
      assert.equal(shown.read(), null);
    });

    describe('against a checkpoint that was kept outside', () => {
      const kept = (name: string, text: string): string => {
        const file = join(folder.path, name);
        writeFileSync(file, text);
        return file;
      };
      const key = ['--key', ...verifierKeys];
      const within = async <T>(work: (database: Database) => Promise<T>): Promise<T> => {
        const database = openDatabase({ dataDir: env['LGSP_DATA_DIR'] ?? '' });
        try {
          return await work(database);
        } finally {
          await database.close();
        }
      };
      const note = (size: number) =>
        within(async ({ knex }) => {
          const row = await knex('log_checkpoints').where({ tree_size: size }).first('note');
          return (row as { note: string }).note;
        });

      it('holds where the log contains it, with the cosignature of a witness too', async () => {
        const cosigned = `${await note(3)}\u2014 witness.test/w1 ${Buffer.alloc(76, 1).toString('base64')}\n`;
        const files = [kept('checkpoint', await note(2)), kept('evidence', cosigned)];
        const many = files.flatMap((file) => ['--checkpoint', file]);
        for (const trusted of [key, []]) {
          const { code, err } = await run(['audit', 'verify', ...trusted, ...many], env);
          assert.equal(code, 0, err);
        }
      });

      it('does not hold where the log was cut off with its checkpoints', async () => {
        const file = kept('checkpoint', await note(3));
        await within((database) => tamper(database, (knex) => cutAt(knex, 2)));
        assert.equal((await run(['audit', 'verify', ...key], env)).code, 0);
        const { code, out } = await run(['audit', 'verify', '--json', ...key, '--checkpoint', file], env);
        assert.equal(code, 1);
        const { what, index } = JSON.parse(out).fault;
        assert.deepEqual([what, index], ['cut', 2]);
      });

      it('does not hold where the log is another one that the same key signed', async () => {
        const signer = noteSigner(ORIGIN, logKeys.privateKey);
        const file = kept('checkpoint', signCheckpoint({ size: 2, root: Buffer.alloc(32, 9) }, signer));
        const { code, out } = await run(['audit', 'verify', '--json', ...key, '--checkpoint', file], env);
        assert.equal(code, 1);
        const { what, index } = JSON.parse(out).fault;
        assert.deepEqual([what, index], ['history', 0]);
      });

      it('is asked wrongly with a file that no trusted key signed, or that is none', async () => {
        const foreign = noteSigner(ORIGIN, generateKeyPairSync('ed25519').privateKey);
        const files = [
          kept('foreign', signCheckpoint({ size: 2, root: Buffer.alloc(32, 9) }, foreign)),
          kept('changed', (await note(3)).replace('\n3\n', '\n2\n')),
          kept('nothing', 'nothing\n'),
          join(folder.path, 'absent'),
        ];
        for (const file of files) {
          const { code, out } = await run(['audit', 'verify', ...key, '--checkpoint', file], env);
          assert.deepEqual([code, out], [2, ''], file);
        }
      });
    });

    it('is asked wrongly with a key that is none', async () => {
      assert.equal((await run(['audit', 'verify', '--key', 'nonsense'], env)).code, 2);
    });
  });

  it('says that there is no log yet', async () => {
    await run(['migrate'], env);
    const { code, err } = await run(['audit', 'verify'], env);
    assert.equal(code, 1);
    assert.match(err, /no log here/);
  });

  it('rotates a key, and keeps the old one for what it signed', async () => {
    await run(['migrate'], env);
    const { code, out } = await run(['keys', 'rotate', '--json'], env);
    assert.equal(code, 0);
    const database = openDatabase({ dataDir: env['LGSP_DATA_DIR'] ?? '' });
    const keys = await database.knex('signing_keys').where({ purpose: 'token' }).orderBy('signs_from');
    await database.close();
    assert.equal(keys.length, 2);
    assert.equal(keys[1].kid, JSON.parse(out).kid);
    assert.ok(keys[0].verifies_until > keys[1].signs_from);
  });
});

describe('the file of new credentials', () => {
  it('is its owner’s alone, complete after each, and keeps what it had', () => {
    const folder = folderWith({});
    try {
      const path = join(folder.path, 'out.json');
      const read = () => JSON.parse(readFileSync(path, 'utf8')).map((one: any) => [one.id, one.secret]);
      const keep = credentialFile(path);
      keep({ id: 'a', agency: 'H35', auth: 'secret', secret: '1' });
      assert.equal(statSync(path).mode & 0o777, 0o600);
      keep({ id: 'b', agency: 'H35', auth: 'secret', secret: '2' });
      credentialFile(path)({ id: 'a', agency: 'H35', auth: 'secret', secret: '3' });
      assert.deepEqual(read(), [
        ['a', '3'],
        ['b', '2'],
      ]);
      assert.ok(!existsSync(`${path}.part`));
      writeFileSync(path, 'bi-mat');
      assert.throws(
        () => credentialFile(path),
        (error: Error) => !error.message.includes('bi-mat'),
      );
    } finally {
      folder.drop();
    }
  });
});
