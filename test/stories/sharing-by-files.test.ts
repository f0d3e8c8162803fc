import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { runCommand } from '../../gateway/cli/program.js';
import { folderWith, Terminal } from '../cli/folder.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { AGREEMENT, ANSWER, CONTENT, REGISTER, SERVICE } from '../sharing/province.js';
import { RegisterSource } from '../sharing/register-source.js';

const UNTIL = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);

const paper = (id: string, number: string, more: object = {}) => ({
  ...{
    id,
    number,
    kind: 'written_request',
    issuedOn: '2025-07-01',
    issuer: 'Cơ quan mẫu',
    signatory: 'Lò Văn Mẫu',
  },
  ...more,
});
const system = (id: string, agency: string, role: string) => ({
  ...{ id, agency, name: id, roles: [role], auth: 'secret', document: 'cv-01' },
});

/** The files of a province in which one department may use three fields of another's service. */
const files = (sourceUrl: string): Record<string, string | Buffer> => ({
  'documents.yaml': stringify([
    paper('cv-01', '01/SKHCN', { file: 'cv-01.pdf' }),
    paper('h35-12--cv-12', '12/STC', { by: 'cung-cap' }),
    paper('h35-61--cv-61', '61/UBND', { by: 'mot-cua' }),
  ]),
  'documents/cv-01.pdf': Buffer.from('%PDF-1.7 mẫu'),
  'agencies.yaml': stringify(
    ['H35.12', 'H35.61'].map((code) => ({
      ...{ code, name: code, level: 'department', validFrom: '2025-07-01', document: 'cv-01' },
    })),
  ),
  'systems.yaml': stringify([
    system('quan-ly', 'H35', 'manager'),
    system('cung-cap', 'H35.12', 'provider'),
    system('mot-cua', 'H35.61', 'consumer'),
  ]),
  'services/doanh-nghiep/manifest.yaml': stringify({
    ...{
      provider: 'H35.12',
      slug: 'doanh-nghiep',
      version: '1.0.0',
      title: 'Doanh nghiệp',
      sharing: 'special',
    },
    ...{ classification: 'internal', operations: { traCuu: { path: '/' } } },
    connector: { kind: 'http', settings: { baseUrl: sourceUrl } },
  }),
  'services/doanh-nghiep/openapi.yaml': JSON.stringify(REGISTER),
  'sharing-requests.yaml': stringify([
    {
      ...{
        service: SERVICE,
        system: 'mot-cua',
        state: 'active',
        by: { consumer: 'mot-cua', provider: 'cung-cap' },
      },
      ...CONTENT,
      ...{ until: UNTIL, agreement: AGREEMENT, tryCalls: ['/doanh-nghiep'] },
      documents: { consumer: 'h35-61--cv-61', provider: 'h35-12--cv-12', manager: 'cv-01' },
    },
  ]),
});

for (const engine of engines) {
  describe(`a special request by files, on ${engine.name}`, function () {
    this.timeout(300_000);
    let test: TestDatabase;
    let node: TestGateway;
    let source: RegisterSource;
    let folder: ReturnType<typeof folderWith>;

    before(async () => {
      test = await engine.create({ migrated: false });
      source = await RegisterSource.start(ANSWER);
      node = await startTestGateway(test, { sharing: { defaultSharing: 'subscribe' }, fourEyes: true });
      folder = folderWith(files(source.url));
    });
    after(async () => {
      await node.close();
      await source.close();
      await test.drop();
      folder.drop();
    });

    const out = (name: string) => join(folder.path, name);
    const apply = async (manager: boolean) => {
      const { clientId, secret } = JSON.parse(readFileSync(join(test.dataDir, 'admin.json'), 'utf8'));
      const made = (): { id: string; secret: string }[] => JSON.parse(readFileSync(out('made.json'), 'utf8'));
      const terminal = new Terminal({
        LGSP_CLIENT_SECRET: secret,
        ...(manager ? { MANAGER: made().find(({ id }) => id === 'quan-ly')?.secret } : {}),
      });
      const by = folderWith(
        manager ? { 'manager.txt': made().find(({ id }) => id === 'quan-ly')?.secret ?? '' } : {},
      );
      const approver = [
        '--approver-client',
        'quan-ly',
        '--approver-secret-file',
        join(by.path, 'manager.txt'),
      ];
      const code = await runCommand(
        [
          'apply',
          '-f',
          folder.path,
          '--url',
          node.url,
          '--client',
          clientId,
          '--json',
          '--credentials-out',
          out('made.json'),
          ...(manager ? approver : []),
        ],
        terminal,
      );
      by.drop();
      return { code, err: terminal.stderr, rows: code === 0 ? JSON.parse(terminal.stdout).rows : [] };
    };
    const call = async (client = 'mot-cua') => {
      const secrets: { id: string; secret: string }[] = JSON.parse(readFileSync(out('made.json'), 'utf8'));
      const secret = secrets.find(({ id }) => id === client)?.secret ?? '';
      const token = await fetch(`${node.url}/oidc/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
      const { access_token } = (await token.json()) as { access_token: string };
      return await fetch(`${node.url}/data/${SERVICE}/doanh-nghiep`, {
        headers: { authorization: `Bearer ${access_token}` },
      });
    };

    it('stops at what a manager has to decide, and says so', async () => {
      const first = await apply(false);
      assert.equal(first.code, 1);
      assert.match(first.err, /request_invalid|transition_not_allowed|no such service|conflict/);
      assert.deepEqual(await test.database.knex('sharing_requests').select('id'), []);
    });

    it('has registered two agencies on their document', async () => {
      const registered = (await allRecords(test.database)).filter(
        ({ operation, kind }) => operation === 'createAgency' && kind === 'closing',
      );
      assert.deepEqual(
        registered.map(({ target }: any) => [target.key, target.after.document.number]),
        [
          ['H35.12', '01/SKHCN'],
          ['H35.61', '01/SKHCN'],
        ],
      );
    });

    it('goes all the way with one, each step by the client whose it is', async () => {
      const { code, rows, err } = await apply(true);
      assert.equal(code, 0, err);
      const row = rows.find(({ noun }: any) => noun === 'sharing_request');
      assert.deepEqual(row.steps, [
        'draft',
        'submitted',
        'in_review',
        'agreed',
        'preparing',
        'testing',
        'active',
      ]);
      const answer = await call();
      const [item] = ((await answer.json()) as any).duLieu;
      assert.deepEqual(Object.keys(item), ['ma', 'ten', 'vonDieuLe']);
      const steps = (await allRecords(test.database)).filter(
        ({ operation, kind }) => operation === 'takeSharingStep' && kind === 'closing',
      );
      assert.deepEqual([...new Set(steps.map(({ system: by }) => by))].sort(), [
        'cung-cap',
        'mot-cua',
        'quan-ly',
      ]);
    });

    it('changes nothing the second time, and exports what it is', async () => {
      const again = await apply(true);
      assert.deepEqual(
        again.rows.filter(({ action }: any) => action !== 'unchanged'),
        [],
      );
      const { clientId, secret } = JSON.parse(readFileSync(join(test.dataDir, 'admin.json'), 'utf8'));
      const exported = folderWith({});
      const code = await runCommand(
        ['export', '-o', join(exported.path, 'out'), '--url', node.url, '--client', clientId],
        new Terminal({ LGSP_CLIENT_SECRET: secret }),
      );
      assert.equal(code, 0);
      const [entry] = parse(readFileSync(join(exported.path, 'out', 'sharing-requests.yaml'), 'utf8'));
      assert.deepEqual(
        [entry.service, entry.state, entry.by, entry.fields, entry.documents],
        [
          SERVICE,
          'active',
          { consumer: 'mot-cua', provider: 'cung-cap' },
          CONTENT.fields,
          { consumer: 'h35-61--cv-61', provider: 'h35-12--cv-12', manager: 'cv-01' },
        ],
      );
      assert.equal(
        readFileSync(join(exported.path, 'out', 'documents', 'cv-01-cv-01.pdf'), 'utf8'),
        '%PDF-1.7 mẫu',
      );
      exported.drop();
    });

    describe('of another system', () => {
      const entry = (state: string, more: object = {}) => ({
        ...{ service: SERVICE, system: 'hai', state, by: { consumer: 'hai', provider: 'cung-cap' } },
        ...CONTENT,
        ...{ until: UNTIL, perMinute: 2, agreement: AGREEMENT, tryCalls: ['/doanh-nghiep'] },
        documents: { consumer: 'h35-61--cv-61', provider: 'h35-12--cv-12', manager: 'cv-01' },
        ...more,
      });
      const write = (state: string, more: object = {}) => {
        const [first] = parse(String(files(source.url)['sharing-requests.yaml']));
        writeFileSync(out('sharing-requests.yaml'), stringify([first, entry(state, more)]));
      };
      /** Applies the folder with that entry. @returns the steps that were taken for it */
      const bring = async (state: string, more: object = {}): Promise<string[]> => {
        write(state, more);
        const { code, err, rows } = await apply(true);
        assert.equal(code, 0, err);
        return rows.filter(({ noun }: any) => noun === 'sharing_request').at(-1).steps;
      };
      const lastStep = async (step: string): Promise<any> =>
        (await allRecords(test.database))
          .filter(({ kind, operation }) => kind === 'closing' && operation === 'takeSharingStep')
          .map(({ target }: any) => target.after)
          .findLast((after: any) => after.step === step);

      before(() => {
        const systems = parse(String(files(source.url)['systems.yaml']));
        writeFileSync(out('systems.yaml'), stringify([...systems, system('hai', 'H35.61', 'consumer')]));
      });

      it('waits where changes are asked for, on a document', async () => {
        const ground = { perDay: 50, reason: 'hạn mức quá cao', document: 'h35-12--cv-12' };
        assert.deepEqual(await bring('needs_changes', ground), [
          ...['draft', 'submitted', 'in_review', 'needs_changes'],
        ]);
        const { reason, document, side } = await lastStep('ask_changes');
        assert.deepEqual([reason, document.id, side], ['hạn mức quá cao', 'h35-12--cv-12', 'provider']);
      });

      it('goes on with what the file now says, through its test', async () => {
        assert.deepEqual(await bring('active'), [
          ...['resubmitted', 'agreed', 'preparing', 'testing', 'active'],
        ]);
        const { document, content } = await lastStep('resubmit');
        assert.deepEqual([document.id, content.perDay], ['h35-61--cv-61', CONTENT.perDay]);
        const tests = (await allRecords(test.database)).filter(
          ({ kind, target }: any) => kind === 'closing' && target?.after?.test !== undefined,
        );
        assert.equal((tests.at(-1) as any).target.after.test.passed, true);
      });

      it('is stopped at its quota, and the record says by which grant', async () => {
        const codes = [await call('hai'), await call('hai'), await call('hai')].map(({ status }) => status);
        assert.ok(codes.includes(200) && codes.includes(429), String(codes));
        const over: any = (await allRecords(test.database)).findLast(({ status }: any) => status === 429);
        assert.equal(over.code, 'quota_exceeded');
        assert.match(JSON.stringify(over), /cp-\d{4}-\d{4}/);
      });

      it('is suspended and resumed by the side that the file names, on its document', async () => {
        const suspended = { provider: { reason: 'bảo trì', document: 'h35-12--cv-12' } };
        assert.deepEqual(await bring('suspended', { suspended }), ['suspend by provider']);
        assert.equal((await call('hai')).status, 403);
        const held = await lastStep('suspend');
        assert.deepEqual(
          [held.side, held.reason, held.document.id],
          ['provider', 'bảo trì', 'h35-12--cv-12'],
        );
        assert.deepEqual(await bring('suspended', { suspended }), []);
        const ground = { reason: 'đã xong', document: 'h35-12--cv-12' };
        assert.deepEqual(await bring('active', ground), ['resume by provider']);
        const resumed = await lastStep('resume');
        assert.deepEqual([resumed.side, resumed.document.id], ['provider', 'h35-12--cv-12']);
        assert.deepEqual(await bring('active', ground), []);
      });

      it('expires by itself, and files do not bring it back', async () => {
        const { knex } = test.database;
        const past = Date.now() - 1000;
        const { id } = await knex('grants').where({ system_id: 'hai' }).first('id');
        await knex('grants').where({ id }).update({ valid_until: past });
        await knex('changes').insert({ noun: 'grant', key: id, at: past });
        const expired: any = await eventually(
          async () =>
            (await allRecords(test.database)).find(({ operation }) => operation === 'expireSharingRequest'),
          'the expiry is in the record',
        );
        assert.deepEqual(expired.target.after.state, 'expired');
        assert.equal((await call('hai')).status, 403);
        assert.deepEqual(await bring('active'), []);
      });
    });
  });
}
