import assert from 'node:assert/strict';
import { join } from 'node:path';
import { runCommand } from '../../gateway/cli/program.js';
import { Desk, DOCUMENT, manifestOf } from '../control/desk.js';
import { applyTree } from '../../gateway/cli/apply.js';
import type { ManagementApi } from '../../gateway/cli/api.js';
import type { Tree } from '../../gateway/cli/tree.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addSystem, secretOf } from '../kit/province.js';
import { folderWith, Terminal } from './folder.js';

const STATES = ['published', 'suspended', 'retired', 'draft'] as const;
const TREE: Partial<Tree> = {
  agencies: [],
  systems: [],
  services: STATES.map((state) => ({
    folder: `services/${state}`,
    manifest: manifestOf('H35.11', `sau-${state}`),
    document: DOCUMENT,
    credentials: {},
    state,
    reason: 'để thử',
  })),
};

for (const engine of engines) {
  describe(`lgsp apply with a second person on ${engine.name}`, function () {
    this.timeout(90_000);
    let desk: Desk;
    beforeEach(async () => {
      desk = await Desk.open(engine, { fourEyes: true });
      await desk.agency('H35.11', 'Sở Nội vụ');
    });
    afterEach(() => desk.close());

    const as = async (id: string): Promise<ManagementApi> => desk.api(await desk.caller(id));
    const said = async (api: ManagementApi, approver?: ManagementApi) =>
      (await applyTree({ api, approver, tree: TREE })).rows.map(({ action, steps, waiting }) =>
        [action, ...steps, ...(waiting === true ? ['(waiting)'] : [])].join(' '),
      );

    it('leaves to the approver what a manager decides', async () => {
      await desk.system('van-hanh', 'H35', ['operator']);
      await desk.system('quan-ly', 'H35', ['manager']);
      assert.deepEqual(await said(await as('van-hanh'), await as('quan-ly')), [
        'created create publish',
        'created create publish suspend',
        'created create publish retire',
        'created create',
      ]);
      const again = await said(await as('van-hanh'), await as('quan-ly'));
      assert.deepEqual(new Set(again), new Set(['unchanged']));
    });

    for (const [name, client] of [
      ['may not publish its own', 'admin'],
      ['may not publish at all', 'van-hanh'],
    ] as const)
      it(`leaves drafts, and says so, where its client ${name}`, async () => {
        await desk.system('van-hanh', 'H35', ['operator']);
        const api = await as(client);
        assert.deepEqual(await said(api), [
          'created create (waiting)',
          'created create (waiting)',
          'created create (waiting)',
          'created create',
        ]);
        const acts = desk.acts.length;
        assert.deepEqual(await said(api), [
          'unchanged (waiting)',
          'unchanged (waiting)',
          'unchanged (waiting)',
          'unchanged',
        ]);
        assert.equal(desk.acts.length, acts);
      });

    it('fails when the approver is no manager, and waits when it made the revision', async () => {
      const provider = await desk.system('cung-cap', 'H35.11', ['provider']);
      await assert.rejects(said(await as('admin'), desk.api(provider)), /role_required/);
      assert.match((await said(await as('admin'), await as('admin')))[0] ?? '', /waiting/);
    });

    it('says in a dry run what it would do', async () => {
      const options = { dryRun: true };
      const { rows } = await applyTree({ api: await as('admin'), tree: TREE }, options);
      assert.deepEqual(rows[0]?.steps, ['create', 'publish']);
      assert.equal(rows[0]?.waiting, undefined);
    });
  });

  describe(`lgsp apply --approver-client on ${engine.name}`, function () {
    this.timeout(90_000);
    let test: TestDatabase;
    let node: TestGateway;
    let folder: ReturnType<typeof folderWith>;
    before(async () => {
      test = await engine.create();
      await addAgency(test.database, 'H35.11');
      await addSystem(test.database, 'van-hanh', 'H35.11', { roles: ['operator'] });
      await addSystem(test.database, 'quan-ly', 'H35.11', { roles: ['manager'] });
      node = await startTestGateway(test, { fourEyes: true });
      folder = folderWith({
        'van-hanh.txt': secretOf('van-hanh'),
        'quan-ly.txt': secretOf('quan-ly'),
        'tree/agencies.yaml': '[]',
        'tree/systems.yaml': '[]',
        'tree/services/mot/manifest.yaml': JSON.stringify(manifestOf('H35.11', 'mot')),
        'tree/services/mot/openapi.yaml': DOCUMENT,
      });
    });
    after(async () => {
      await node.close();
      await test.drop();
      folder.drop();
    });

    const secret = (id: string) => join(folder.path, `${id}.txt`);
    const apply = async (...more: string[]) => {
      const terminal = new Terminal();
      const maker = ['--url', node.url, '--client', 'van-hanh', '--secret-file', secret('van-hanh')];
      const args = ['apply', '-f', join(folder.path, 'tree'), ...maker, ...more];
      return { code: await runCommand(args, terminal), out: terminal.stdout, err: terminal.stderr };
    };

    it('publishes by the approver; without one it ends well and names what waits', async () => {
      const waits = await apply();
      assert.equal(waits.code, 0, waits.err);
      assert.match(waits.out, /waiting for a manager to publish.*: H35\.11\/mot\/v1/);
      const told = await apply('--json');
      assert.equal(told.code, 0, told.err);
      assert.deepEqual(JSON.parse(told.out).waiting, ['H35.11/mot/v1']);
      const approver = ['--approver-client', 'quan-ly', '--approver-secret-file', secret('quan-ly')];
      const done = await apply('--json', ...approver);
      assert.equal(done.code, 0, done.err);
      const { rows, waiting } = JSON.parse(done.out);
      assert.deepEqual([rows[0].steps, waiting], [['publish'], []]);
      assert.equal(JSON.parse((await apply('--json', ...approver)).out).rows[0].action, 'unchanged');
    });

    const wrong: [string, string[]][] = [
      ['no secret', ['--approver-client', 'quan-ly']],
      ['no client', ['--approver-secret-file', 'x.txt']],
      ['both', ['--approver-client', 'q', '--approver-secret-file', 'x', '--approver-key-file', 'y']],
    ];
    for (const [name, options] of wrong)
      it(`does not take half an approver: ${name}`, async () => {
        const { code, err } = await apply(...options);
        assert.equal(code, 2);
        assert.match(err, /an approver needs/);
      });
  });
}
