import assert from 'node:assert/strict';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addService, addSystem } from '../kit/province.js';
import { type Source, startSource } from '../kit/source.js';

for (const engine of engines) {
  describe(`messages that declare themselves state secrets, on ${engine.name}`, () => {
    let test: TestDatabase;
    let source: Source;
    let gateway: TestGateway;

    before(async () => {
      test = await engine.create();
      source = await startSource();
      const { database } = test;
      await addAgency(database, 'H35.11');
      await addAgency(database, 'H35.12');
      await addSystem(database, 'consumer', 'H35.12');
      const serviceOf = (slug: string, response: string[], values: string[], more = {}): Promise<string> =>
        addService(database, source.url, {
          slug,
          manifest: { secrecyMarks: { request: ['/body/note/doMat'], response, values }, ...more },
        });
      await serviceOf('gui', [], []);
      await serviceOf('nhan', ['/body/name'], ['pu sam cap']);
      await serviceOf('nhan-thuong', ['/body/name'], ['khac']);
      await serviceOf('bao-cao', ['/body/name'], [], { responseCheck: 'report' });
      gateway = await startTestGateway(test);
    });

    after(async () => {
      await gateway.close();
      await source.close();
      await test.drop();
    });

    const send = (slug: string, doMat: unknown): Promise<Response> =>
      gateway.call('consumer', `/data/H35.11/${slug}/v1/ok/write`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code: '03532', name: 'Nội dung riêng', note: { doMat } }),
      });

    async function assertStopped(
      response: Response,
      stage: string,
      pointer: string,
      before: number,
    ): Promise<void> {
      const text = await response.text();
      assert.equal(response.status, 422, text);
      const problem = JSON.parse(text) as { code: string; stage: string; errors: { pointer: string }[] };
      assert.equal(problem.code, 'state_secret');
      assert.equal(problem.stage, stage);
      assert.deepEqual(
        problem.errors.map((error) => error.pointer),
        [pointer],
      );
      assert.ok(!/Nội dung riêng|Pu Sam|03532/.test(text), 'nothing of the content in the answer');
      const written = (await allRecords(test.database)).slice(before);
      assert.equal(written.length, 1);
      assert.equal(written[0]?.code, 'state_secret');
      assert.ok(!/Nội dung riêng|Pu Sam|Tuyệt/.test(JSON.stringify(written)), 'nor in the record');
    }

    it('stops a request before anything of it reaches the source', async () => {
      const before = (await allRecords(test.database)).length;
      const asked = source.seen.length;
      await assertStopped(await send('gui', 'Tuyệt mật'), 'check-request', '/body/note/doMat', before);
      assert.equal(source.seen.length, asked);
    });

    it('lets a request pass that declares none', async () => {
      assert.equal((await send('gui', 'Thường')).status, 200);
    });

    it('stops an answer, of which nothing is released', async () => {
      const before = (await allRecords(test.database)).length;
      const response = await gateway.call('consumer', '/data/H35.11/nhan/v1/ok');
      await assertStopped(response, 'check-response', '/body/name', before);
    });

    it('lets an answer pass that says something else in that field', async () => {
      assert.equal((await gateway.call('consumer', '/data/H35.11/nhan-thuong/v1/ok')).status, 200);
    });

    it('stops an answer whose mark cannot be read, even where its structure is only reported', async () => {
      const before = (await allRecords(test.database)).length;
      await assertStopped(
        await gateway.call('consumer', '/data/H35.11/bao-cao/v1/broken'),
        'check-response',
        '/body',
        before,
      );
      assert.equal((await gateway.call('consumer', '/data/H35.11/bao-cao/v1/ok')).status, 200);
    });
  });
}
