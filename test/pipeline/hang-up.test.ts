import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { AuditRecord } from '../../gateway/audit/record.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addService, addSystem } from '../kit/province.js';
import { type Source, startSource } from '../kit/source.js';

const S = '/data/H35.11/thu/v1';

for (const engine of engines) {
  describe(`a caller that hangs up, on ${engine.name}`, () => {
    let test: TestDatabase;
    let source: Source;
    let gateway: TestGateway;

    before(async () => {
      test = await engine.create();
      source = await startSource();
      await addAgency(test.database, 'H35.11');
      await addSystem(test.database, 'consumer', 'H35.11');
      await addService(test.database, source.url, { manifest: { timeoutMs: 5000 } });
      gateway = await startTestGateway(test);
    });

    after(async () => {
      await gateway.close();
      await source.close();
      await test.drop();
    });

    /** Sends raw text and hangs up once `when` holds of what came back. */
    async function hangUp(text: string, when: (answered: string) => boolean): Promise<void> {
      const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
      let answered = '';
      socket.setEncoding('utf8').on('data', (piece: string) => {
        answered += piece;
      });
      socket.on('error', () => undefined);
      socket.write(text);
      await eventually(() => (when(answered) ? true : undefined), 'the moment to hang up');
      socket.destroy();
    }

    const head = async (method: string, path: string, more = ''): Promise<string> =>
      `${method} ${path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer ${await gateway.token('consumer')}\r\n${more}\r\n`;

    async function closings(from: number): Promise<AuditRecord[]> {
      return await eventually(async () => {
        const records = (await allRecords(test.database))
          .slice(from)
          .filter((record) => record.kind === 'closing');
        return records.length > 0 ? records : undefined;
      }, 'a closing record');
    }

    it('before its body is complete leaves one record, aborted', async () => {
      const from = (await allRecords(test.database)).length;
      const type = 'Content-Type: application/json\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n';
      // The gateway has the head once it says 100; what it does until it waits for the body takes milliseconds.
      let saidAt: number | undefined;
      await hangUp(`${await head('POST', `${S}/ok/write`, type)}{"code":`, (answered) => {
        if (answered.startsWith('HTTP/1.1 100')) saidAt ??= Date.now();
        return saidAt !== undefined && Date.now() - saidAt > 100;
      });
      const records = await closings(from);
      assert.deepEqual(
        records.map(({ outcome, stage }) => ({ outcome, stage })),
        [{ outcome: 'aborted', stage: 'check-request' }],
      );
    });

    it('while the source works leaves one record, aborted, and the source is let go', async () => {
      const from = (await allRecords(test.database)).length;
      const [seen, cut] = [source.seen.length, source.cut()];
      await hangUp(await head('GET', `${S}/slow`), () => source.seen.length > seen);
      const records = await closings(from);
      assert.deepEqual(
        records.map(({ outcome, stage }) => ({ outcome, stage })),
        [{ outcome: 'aborted', stage: 'forward' }],
      );
      await eventually(() => (source.cut() > cut ? true : undefined), 'the source’s connection is closed');
    });

    it('right after the source answered leaves exactly one closing record', async () => {
      const from = (await allRecords(test.database)).length;
      const seen = source.seen.length;
      await hangUp(await head('GET', `${S}/ok`), () => source.seen.length > seen);
      const records = await closings(from);
      assert.equal(records.length, 1);
      assert.match(records[0]?.outcome ?? '', /^(answered|aborted)$/);
    });

    it('of a write leaves the opening record, and the closing one that names it', async () => {
      const from = (await allRecords(test.database)).length;
      const body = '{"code":"03532","name":"x"}';
      const seen = source.seen.length;
      const type = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
      await hangUp(`${await head('POST', `${S}/slow/write`, type)}${body}`, () => source.seen.length > seen);
      const [closing] = await closings(from);
      const opening = (await allRecords(test.database))
        .slice(from)
        .find((record) => record.kind === 'opening');
      assert.equal(closing?.outcome, 'aborted');
      assert.ok(opening !== undefined && closing.opening === opening.id);
    });

    it('leaves the gateway as it was', async () => {
      const response = await gateway.call('consumer', `${S}/ok`);
      assert.equal(response.status, 200);
    });
  });

  describe(`requests that are no HTTP, on ${engine.name}`, () => {
    let test: TestDatabase;
    let gateway: TestGateway;

    before(async () => {
      test = await engine.create();
      gateway = await startTestGateway(test);
    });

    after(async () => {
      await gateway.close();
      await test.drop();
    });

    const cases = [
      {
        name: 'headers that are too large',
        text: `GET /data/x HTTP/1.1\r\nHost: g\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`,
        status: 431,
        code: 'headers_too_large',
      },
      { name: 'garbage', text: 'these are not the bytes\r\n\r\n', status: 400, code: 'request_malformed' },
      {
        name: 'two lengths',
        text: 'POST /data/x HTTP/1.1\r\nHost: g\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
        status: 400,
        code: 'request_malformed',
      },
      {
        name: 'a length and chunks at once',
        text: 'POST /data/x HTTP/1.1\r\nHost: g\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        status: 400,
        code: 'request_malformed',
      },
    ];
    for (const { name, text, status, code } of cases) {
      it(`${name}: ${code}, with one record`, async () => {
        const from = (await allRecords(test.database)).length;
        const answer = await new Promise<string>((resolve) => {
          const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
          let got = '';
          socket.on('data', (chunk) => (got += chunk.toString()));
          socket.on('error', () => undefined);
          socket.on('close', () => resolve(got));
          socket.write(text);
        });
        assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
        assert.ok(answer.includes(`"code":"${code}"`), answer);
        const records = (await allRecords(test.database)).slice(from);
        assert.deepEqual(
          records.map((record) => [record.outcome, record.code]),
          [['refused', code]],
        );
      });
    }
  });
}
