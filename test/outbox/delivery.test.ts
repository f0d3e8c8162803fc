import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { type Notice, postNotice } from '../../gateway/store/notices.js';
import { HeldClock } from '../identity/held-clock.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addSystem } from '../kit/province.js';
import { Receiver, startMailServer } from './receivers.js';

/** Before any clock of these tests is stopped: what is posted is due at once. */
const AT = Date.now() - 1000;

const NEWS = (key: string, more: Partial<Notice> = {}): Notice => ({
  agency: 'H35.12',
  kind: 'grant_expired',
  noun: 'grant',
  key,
  title: { vi: 'Phê duyệt đã hết hạn\r\nBcc: ke-xau@example.vn', en: 'The grant has expired' },
  text: { vi: 'Phê duyệt cp-2025-0001 đã hết hạn.', en: 'cp-2025-0001 has expired.' },
  at: AT,
  ...more,
});

for (const engine of engines) {
  describe(`the outbox on ${engine.name}`, function () {
    this.timeout(60_000);
    let test: TestDatabase;
    let node: TestGateway;
    let receiver: Receiver;
    let clock: HeldClock;

    beforeEach(async () => {
      test = await engine.create();
      for (const code of ['H35', 'H35.12', 'H35.61']) await addAgency(test.database, code);
      await addSystem(test.database, 'van-hanh', 'H35', { roles: ['operator'] });
      await addSystem(test.database, 'cung-cap', 'H35.12', { roles: ['provider'] });
      await addSystem(test.database, 'khac', 'H35.61', { roles: ['consumer'] });
      receiver = await Receiver.start();
      clock = new HeldClock();
      node = await startTestGateway(test, {}, { clock });
    });
    afterEach(async () => {
      await node.close();
      await receiver.close();
      await test.drop();
    });

    const api = async (client: string, method: string, path: string, body?: unknown) => {
      const answer = await node.call(client, `/api${path}`, {
        method,
        ...(body === undefined
          ? {}
          : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
    };
    const open = async (more: object = {}) => {
      const made = await api('cung-cap', 'POST', '/channels', {
        kind: 'webhook',
        target: receiver.url,
        ...more,
      });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      return made.body as { channel: { id: string }; secret: string };
    };
    const rows = async () => await test.database.knex('outbox').select();
    const received = (count: number) =>
      eventually(() => (receiver.got.length >= count ? receiver.got : undefined), `${count} messages`);
    const settled = (state: string, count = 1) =>
      eventually(async () => {
        const found = (await rows()).filter((row) => row.state === state);
        return found.length === count ? found[0] : undefined;
      }, `${count} deliveries are ${state}`);

    it('hands a notice to a webhook once, signed so that anybody can check it', async () => {
      const { secret } = await open();
      await postNotice(test.database.knex, NEWS('cp-1'));
      const [message] = await received(1);
      const { headers, body } = message ?? assert.fail();
      const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
      const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
      const expected = `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
      assert.equal(headers['webhook-signature'], expected);
      assert.equal(JSON.parse(body).data.key, 'cp-1');
      await settled('sent');
      assert.equal(receiver.got.length, 1);
    });

    it('sends nothing of a change that was taken back, and nothing twice', async () => {
      await open();
      await assert.rejects(
        test.database.knex.transaction(async (trx) => {
          await postNotice(trx, NEWS('taken-back'));
          throw new Error('taken back');
        }),
        /taken back/,
      );
      await postNotice(test.database.knex, NEWS('cp-1', { dedupe: 'once' }));
      await postNotice(test.database.knex, NEWS('cp-1', { dedupe: 'once' }));
      await received(1);
      await settled('sent');
      assert.deepEqual((await rows()).length, 1);
    });

    it('tries again when the receiver fails, and the message keeps its id', async () => {
      receiver.statuses = [500, 302, 204];
      await open();
      await postNotice(test.database.knex, NEWS('cp-1'));
      await received(1);
      await eventually(
        async () => ((await rows())[0]?.last_error === 'HTTP 500' ? true : undefined),
        'it failed',
      );
      clock.move(60_000);
      await received(2);
      await eventually(
        async () => ((await rows())[0]?.last_error === 'HTTP 302' ? true : undefined),
        'no redirect',
      );
      clock.move(120_000);
      const all = await received(3);
      await settled('sent');
      assert.equal(new Set(all.map(({ headers }) => headers['webhook-id'])).size, 1);
    });

    it('switches a channel off when the receiver says so, and tells the agency', async () => {
      receiver.statuses = [410];
      const { channel } = await open();
      await postNotice(test.database.knex, NEWS('cp-1'));
      await settled('failed');
      const { body } = await api('cung-cap', 'GET', `/channels/${channel.id}`);
      assert.deepEqual([body.active, body.disabledReason], [false, 'HTTP 410']);
      const inbox = await api('cung-cap', 'GET', '/notices?kind=channel_disabled');
      assert.equal(inbox.body.items.length, 1);
      const again = await api('cung-cap', 'PATCH', `/channels/${channel.id}`, { active: true });
      assert.equal(again.body.channel.active, true);
    });

    it('is taken over by another node when one dies between taking up and sending', async () => {
      receiver.statuses = [0, 204];
      await open();
      await postNotice(test.database.knex, NEWS('cp-1'));
      await received(1);
      // As a killed node leaves it: under a lease that nobody will end.
      await test.database.knex('outbox').update({ leased_by: 'gone', lease_until: clock.now() + 120_000 });
      clock.move(121_000);
      const [first, second] = await received(2);
      assert.equal(first?.headers['webhook-id'], second?.headers['webhook-id']);
    });

    it('refuses a webhook that is not on the allow-list, and channels of others', async () => {
      for (const [target, code] of [
        ['http://10.1.2.3/x', 'request_invalid'],
        ['ftp://127.0.0.1/x', 'request_invalid'],
        ['http://user:pass@127.0.0.1/x', 'request_invalid'],
        ['không phải địa chỉ', 'request_invalid'],
      ] as const)
        assert.equal(
          (await api('cung-cap', 'POST', '/channels', { kind: 'webhook', target })).body.code,
          code,
          target,
        );
      const email = await api('cung-cap', 'POST', '/channels', { kind: 'email', target: 'a@example.vn' });
      assert.equal(email.body.code, 'conflict');
      const { channel } = await open();
      for (const [method, path] of [
        ['GET', ''],
        ['PATCH', ''],
        ['DELETE', ''],
        ['POST', '/test'],
      ] as const)
        assert.equal(
          (
            await api(
              'khac',
              method,
              `/channels/${channel.id}${path}`,
              method === 'PATCH' ? { active: false } : undefined,
            )
          ).body.code,
          'object_not_found',
        );
      assert.equal(
        (await api('khac', 'POST', '/channels', { kind: 'webhook', target: receiver.url, agency: 'H35.12' }))
          .body.code,
        'role_required',
      );
      assert.equal((await api('van-hanh', 'GET', '/channels')).body.items.length, 1);
    });

    it('says nothing of the channels of others: an id that one has is refused as a new one is', async () => {
      const id = 'h35-12--he-thong';
      await open({ id });
      const webhook = { kind: 'webhook', target: receiver.url };
      const answer = async (asked: string, client = 'khac') => {
        const { status, body } = await api(client, 'POST', '/channels', { ...webhook, id: asked });
        const { instance: _instance, record: _record, ...problem } = body;
        return { status, problem };
      };
      const fresh = await answer('h35-12--khac');
      assert.equal(fresh.problem.code, 'request_invalid');
      assert.equal(fresh.problem.errors[0].pointer, '/body/id');
      assert.deepEqual(await answer(id), fresh);
      assert.equal((await answer(id, 'cung-cap')).problem.code, 'conflict');
      assert.equal((await answer('h35-61--khac')).status, 201);
      assert.equal((await answer('tu-do', 'van-hanh')).status, 201);
    });

    it('tries a channel out, once a minute; operators see what waits and send it again', async () => {
      const { channel } = await open();
      assert.equal((await api('cung-cap', 'POST', `/channels/${channel.id}/test`)).status, 202);
      assert.equal((await api('cung-cap', 'POST', `/channels/${channel.id}/test`)).body.code, 'rate_limited');
      await settled('sent');
      receiver.statuses = [410];
      await postNotice(test.database.knex, NEWS('goes-to-nobody'));
      await settled('failed');
      const { body } = await api('van-hanh', 'GET', '/deliveries?state=failed');
      assert.equal(body.items[0].channel, channel.id);
      const retry = () => api('van-hanh', 'POST', `/deliveries/${body.items[0].id}/retry`);
      assert.equal((await retry()).body.code, 'conflict');
      receiver.statuses = [204];
      await api('cung-cap', 'PATCH', `/channels/${channel.id}`, { active: true });
      assert.equal((await retry()).status, 200);
      await settled('sent', 2);
    });

    it('shows an inbox to its agency, by role, and notes what was read', async () => {
      const { knex } = test.database;
      await postNotice(knex, NEWS('for-all'));
      await postNotice(knex, NEWS('for-providers', { role: 'provider' }));
      await postNotice(knex, NEWS('for-operators', { role: 'operator' }));
      await postNotice(knex, NEWS('for-one', { user: 'ai-do' }));
      const mine = await api('cung-cap', 'GET', '/notices');
      assert.deepEqual(mine.body.items.map(({ key }: any) => key).sort(), ['for-all', 'for-providers']);
      assert.equal(mine.body.unread, 2);
      assert.deepEqual((await api('khac', 'GET', '/notices')).body.items, []);
      const [{ id }] = mine.body.items;
      assert.equal((await api('khac', 'GET', `/notices/${id}`)).body.code, 'object_not_found');
      assert.notEqual((await api('cung-cap', 'POST', `/notices/${id}/read`)).body.readAt, null);
      assert.equal((await api('cung-cap', 'GET', '/notices?unread=true')).body.items.length, 1);
      assert.equal((await api('cung-cap', 'POST', '/notices/read-all')).body.read, 1);
      assert.equal((await api('cung-cap', 'GET', '/notices')).body.unread, 0);
    });
  });

  describe(`notices by mail on ${engine.name}`, function () {
    this.timeout(60_000);

    it('arrive as plain text in both languages, and no title begins a header', async () => {
      const test = await engine.create();
      const mail = await startMailServer();
      await addAgency(test.database, 'H35.12');
      await addSystem(test.database, 'cung-cap', 'H35.12', { roles: ['provider'] });
      const smtp = { host: '127.0.0.1', port: mail.port, requireTls: false, from: 'lgsp@example.vn' };
      const node = await startTestGateway(test, { smtp });
      try {
        const made = await node.call('cung-cap', '/api/channels', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ kind: 'email', target: 'van-thu@example.vn' }),
        });
        assert.equal(made.status, 201);
        await postNotice(test.database.knex, NEWS('cp-1'));
        const [got] = await eventually(() => (mail.mails.length > 0 ? mail.mails : undefined), 'a mail');
        assert.deepEqual(got?.to, ['van-thu@example.vn']);
        const [head = '', ...rest] = (got?.text ?? '').split('\r\n\r\n');
        assert.doesNotMatch(head, /^bcc:/im);
        assert.match(head, /^Auto-Submitted: auto-generated/m);
        assert.match(head, /text\/plain/);
        assert.match(rest.join(), /cp-2025-0001 has expired/);
      } finally {
        await node.close();
        await mail.close();
        await test.drop();
      }
    });

    it('leave only under TLS unless the settings say otherwise', async () => {
      const test = await engine.create();
      const mail = await startMailServer();
      await addAgency(test.database, 'H35.12');
      await addSystem(test.database, 'cung-cap', 'H35.12', { roles: ['provider'] });
      const node = await startTestGateway(test, {
        smtp: { host: '127.0.0.1', port: mail.port, from: 'lgsp@example.vn' },
      });
      try {
        await node.call('cung-cap', '/api/channels', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ kind: 'email', target: 'van-thu@example.vn' }),
        });
        await postNotice(test.database.knex, NEWS('cp-1'));
        await eventually(async () => {
          const [row] = await test.database.knex('outbox').select();
          return typeof row?.last_error === 'string' || undefined;
        }, 'it was not sent');
        assert.deepEqual(mail.mails, []);
      } finally {
        await node.close();
        await mail.close();
        await test.drop();
      }
    });
  });
}
