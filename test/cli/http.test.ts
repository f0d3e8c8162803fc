import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../../gateway/cli/program.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { DOCUMENT, manifestOf } from '../control/desk.js';
import { folderWith, Terminal } from './folder.js';

for (const engine of engines) {
  describe(`lgsp against a running gateway on ${engine.name}`, function () {
    this.timeout(120_000);
    let test: TestDatabase;
    let node: TestGateway;
    let folder: ReturnType<typeof folderWith>;
    let admin: string[];

    before(async () => {
      test = await engine.create({ migrated: false });
      node = await startTestGateway(test);
      const { clientId, secret } = JSON.parse(readFileSync(join(test.dataDir, 'admin.json'), 'utf8'));
      folder = folderWith({
        'admin.txt': `${secret}\n`,
        'tree/documents.yaml':
          "- { id: cv-12, number: 12/SNV-VP, kind: written_request, issuedOn: '2025-03-01', issuer: Sở Nội vụ, signatory: Nguyễn Văn Mẫu, file: cv-12.pdf }\n",
        'tree/documents/cv-12.pdf': '%PDF-1.7 văn bản mẫu',
        'tree/agencies.yaml':
          "- { code: H35.11, name: Sở Nội vụ, level: department, parentCode: H35, validFrom: '2025-03-01' }\n",
        'tree/systems.yaml': [
          '- { id: mot-cua, agency: H35.11, name: Một cửa, roles: [consumer], auth: secret, document: cv-12 }',
          '- { id: ioc, agency: H35.11, name: Bảng điều hành, roles: [auditor], auth: key, document: cv-12 }',
        ].join('\n'),
        'tree/services/mot/manifest.yaml': JSON.stringify(manifestOf('H35.11', 'mot')),
        'tree/services/mot/openapi.yaml': DOCUMENT,
      });
      admin = ['--url', node.url, '--client', clientId, '--secret-file', join(folder.path, 'admin.txt')];
    });
    after(async () => {
      await node.close();
      await test.drop();
      folder.drop();
    });

    const run = async (args: readonly string[], as = admin) => {
      const terminal = new Terminal();
      const code = await runCommand([...args, ...as], terminal);
      return { code, out: terminal.stdout, err: terminal.stderr };
    };
    const credentials = () => JSON.parse(readFileSync(join(folder.path, 'out.json'), 'utf8'));

    it('applies, finds nothing more to do, and exports the same', async () => {
      const apply = [
        'apply',
        '-f',
        join(folder.path, 'tree'),
        '--json',
        '--credentials-out',
        join(folder.path, 'out.json'),
      ];
      const first = await run(apply);
      assert.equal(first.code, 0, first.err);
      assert.deepEqual(
        JSON.parse(first.out).rows.map((row: any) => row.action),
        ['created', 'created', 'created', 'created', 'created'],
      );
      assert.ok(!first.out.includes(credentials()[0].secret), 'no secret on the screen');
      const second = await run(apply);
      assert.deepEqual(
        new Set(JSON.parse(second.out).rows.map((row: any) => row.action)),
        new Set(['unchanged']),
      );
      const out = join(folder.path, 'export');
      assert.equal((await run(['export', '-o', out])).code, 0);
      assert.equal(readFileSync(join(out, 'services/mot/openapi.yaml'), 'utf8'), DOCUMENT);
      const back = await run(['apply', '-f', out, '--dry-run', '--json']);
      assert.deepEqual(
        new Set(JSON.parse(back.out).rows.map((row: any) => row.action)),
        new Set(['unchanged']),
      );
    });

    it('signs in with what apply made: a secret, and a key', async () => {
      const [secret, key] = credentials();
      writeFileSync(join(folder.path, 'mot-cua.txt'), secret.secret);
      writeFileSync(join(folder.path, 'ioc.json'), JSON.stringify(key.jwk));
      const byKey = ['--url', node.url, '--client', 'ioc', '--key-file', join(folder.path, 'ioc.json')];
      const token = await run(['token', '--resource', 'api', '--json'], byKey);
      assert.equal(token.code, 0, token.err);
      const me = await fetch(`${node.url}/api/me`, {
        headers: { authorization: `Bearer ${JSON.parse(token.out).token}` },
      });
      assert.deepEqual(((await me.json()) as any).roles, ['auditor']);
      const bySecret = [
        '--url',
        node.url,
        '--client',
        'mot-cua',
        '--secret-file',
        join(folder.path, 'mot-cua.txt'),
      ];
      assert.match((await run(['token'], bySecret)).out, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    });

    it('says who was refused, why, and ends with 1', async () => {
      const as = [
        '--url',
        node.url,
        '--client',
        'mot-cua',
        '--secret-file',
        join(folder.path, 'mot-cua.txt'),
      ];
      const { code, err } = await run(['export', '-o', join(folder.path, 'none')], as);
      assert.equal(code, 1);
      assert.match(err, /role_required/);
      writeFileSync(join(folder.path, 'wrong.txt'), 'sai-mat-khau');
      const wrong = await run(
        ['token'],
        ['--url', node.url, '--client', 'mot-cua', '--secret-file', join(folder.path, 'wrong.txt')],
      );
      assert.equal(wrong.code, 1);
      assert.match(wrong.err, /invalid_client/);
    });

    it('imports a service as a new revision, and publishes nothing', async () => {
      const path = join(folder.path, 'tree/services/mot');
      writeFileSync(
        join(path, 'manifest.yaml'),
        JSON.stringify(manifestOf('H35.11', 'mot', { title: 'Tên mới' })),
      );
      const { code, out, err } = await run(['service', 'import', path, '--json']);
      assert.equal(code, 0, err);
      assert.deepEqual(JSON.parse(out), { id: 'H35.11/mot/v1', state: 'published', latestRevision: 2 });
    });

    it('leaves what it did in the record, and no secret there', async () => {
      const records = await allRecords(test.database);
      const acts = records
        .filter(({ target }) => target !== undefined)
        .map(({ target, system }) => `${system ?? ''} ${target?.noun ?? ''} ${target?.key ?? ''}`);
      for (const act of ['admin agency H35.11', 'admin system mot-cua', 'admin service H35.11/mot/v1'])
        assert.ok(acts.includes(act), act);
      const text = JSON.stringify(records);
      const [secret, key] = credentials();
      assert.ok(!text.includes(secret.secret) && !text.includes(key.jwk.d));
    });
  });
}
