import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../gateway/base/config.js';
import { postNotice, type Notice, deleteOldNotices } from '../../gateway/store/notices.js';
import { startChildGateway } from '../kit/child-gateway.js';
import { makeIdentity } from '../kit/certificates.js';
import { type TestDatabase, embedded, engines } from '../kit/databases.js';
import { eventually, startTestGateway, testClient, testSettings } from '../kit/gateway.js';
import { freePort } from '../kit/ports.js';
import { addAgency, addSystem } from '../kit/province.js';
import { type MailServerOptions, Receiver, startMailServer } from './receivers.js';

const NEWS = (key: string, more: Partial<Notice> = {}): Notice => ({
  agency: 'H35.12',
  kind: 'grant_expired',
  noun: 'grant',
  key,
  title: { vi: 'Phê duyệt đã hết hạn', en: 'The grant has expired' },
  text: { vi: 'Đã hết hạn.', en: 'It has expired.' },
  at: Date.now() - 1000,
  ...more,
});

type Call = (client: string, path: string, init?: RequestInit) => Promise<Response>;

async function openChannel(call: Call, body: object): Promise<string> {
  const made = await call('cung-cap', '/api/channels', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await made.text();
  assert.equal(made.status, 201, text);
  return (JSON.parse(text) as { channel: { id: string } }).channel.id;
}

for (const engine of engines) {
  describe(`the outbox in trouble, on ${engine.name}`, function () {
    this.timeout(60_000);
    let test: TestDatabase;
    let receiver: Receiver;

    beforeEach(async () => {
      test = await engine.create();
      for (const code of ['H35', 'H35.12']) await addAgency(test.database, code);
      await addSystem(test.database, 'cung-cap', 'H35.12', { roles: ['provider'] });
      receiver = await Receiver.start();
    });
    afterEach(async () => {
      await receiver.close();
      await test.drop();
    });

    const state = async () =>
      (await test.database.knex('outbox').select('state')).map((row: { state: string }) => row.state);
    const allSent = (count: number) =>
      eventually(async () => {
        const states = await state();
        return (states.length === count && states.every((one) => one === 'sent')) || undefined;
      }, `${count} notices are sent`);

    it('sends each notice once from two nodes', async () => {
      const first = await startTestGateway(test);
      const second = await startTestGateway(test);
      try {
        await openChannel(first.call, { kind: 'webhook', target: receiver.url });
        await openChannel(first.call, { kind: 'webhook', target: receiver.url });
        for (let i = 0; i < 30; i += 1) await postNotice(test.database.knex, NEWS(`cp-${i}`));
        await allSent(60);
        const ids = receiver.got.map(({ headers }) => headers['webhook-id']);
        assert.deepEqual([ids.length, new Set(ids).size], [60, 60]);
      } finally {
        await first.close();
        await second.close();
      }
    });

    it('keeps nobody waiting for a receiver that never answers', async () => {
      const silent = await Receiver.start();
      silent.statuses = [0];
      const node = await startTestGateway(test);
      try {
        const slow = await openChannel(node.call, { kind: 'webhook', target: silent.url });
        await postNotice(test.database.knex, NEWS('first'));
        await eventually(() => (silent.got.length > 0 ? true : undefined), 'the silent one was asked');
        const quick = await openChannel(node.call, { kind: 'webhook', target: receiver.url });
        await postNotice(test.database.knex, NEWS('second'));
        await eventually(() => (receiver.got.length > 0 ? true : undefined), 'the other one was told');
        const rows = (await test.database.knex('outbox').where({ channel_id: slow }).select()) as {
          state: string;
        }[];
        assert.ok(rows.every((row) => row.state === 'waiting'));
        assert.notEqual(slow, quick);
        assert.equal(silent.got.length, 1, 'one message at a time');
      } finally {
        await node.close();
        await silent.close();
      }
    });

    it('gives back what it was sending when the node closes, uncounted, and the next node sends it', async () => {
      receiver.statuses = [0, 204];
      const node = await startTestGateway(test);
      await openChannel(node.call, { kind: 'webhook', target: receiver.url });
      await postNotice(test.database.knex, NEWS('cp-1'));
      await eventually(() => (receiver.got.length > 0 ? true : undefined), 'an attempt is under way');
      await node.close();
      const [row] = (await test.database.knex('outbox').select()) as Record<string, unknown>[];
      assert.deepEqual([row?.['state'], row?.['attempts'], row?.['lease_until']], ['waiting', 0, null]);
      const next = await startTestGateway(test);
      try {
        await allSent(1);
        const [one, two] = receiver.got;
        assert.equal(one?.headers['webhook-id'], two?.headers['webhook-id'], 'the same message');
      } finally {
        await next.close();
      }
    });

    it('loses nothing when the process is killed in the middle of an attempt', async () => {
      receiver.statuses = [0, 204];
      const settings = testSettings(test, await freePort());
      const { publicUrl } = loadConfig(settings);
      await test.database.close();
      const killed = await startChildGateway(settings);
      const { call } = testClient(killed.url, publicUrl);
      await openChannel(call, { kind: 'webhook', target: receiver.url, kinds: ['channel_test'] });
      const [channel] = (
        (await (await call('cung-cap', '/api/channels')).json()) as { items: { id: string }[] }
      ).items;
      assert.equal(
        (await call('cung-cap', `/api/channels/${channel?.id}/test`, { method: 'POST' })).status,
        202,
      );
      await eventually(() => (receiver.got.length > 0 ? true : undefined), 'an attempt is under way');
      await killed.kill();
      // Ahead by more than a lease lasts.
      const next = await startChildGateway(settings, { aheadMs: 150_000 });
      try {
        await eventually(() => (receiver.got.length > 1 ? true : undefined), 'it is sent again');
        const [one, two] = receiver.got;
        assert.equal(one?.headers['webhook-id'], two?.headers['webhook-id']);
      } finally {
        await next.kill();
      }
    });

    it('tells one person in the inbox only, and an agency that is not there not at all', async () => {
      const node = await startTestGateway(test);
      try {
        await openChannel(node.call, { kind: 'webhook', target: receiver.url });
        const { knex } = test.database;
        await knex.transaction(async (trx) => {
          await postNotice(trx, NEWS('for-one', { user: 'ai-do' }));
          await postNotice(trx, NEWS('for-nobody', { agency: 'H35.99' }));
          await postNotice(trx, NEWS('for-all'));
        });
        await allSent(1);
        assert.deepEqual(
          receiver.got.map(({ body }) => JSON.parse(body).data.key),
          ['for-all'],
        );
        const keys = (await knex('notices').select('key')).map(({ key }: { key: string }) => key).sort();
        assert.deepEqual(keys, ['for-all', 'for-one']);
      } finally {
        await node.close();
      }
    });

    it('forgets notices of long ago, but none that is still to be sent', async () => {
      const { knex } = test.database;
      await postNotice(knex, NEWS('old', { at: 1000 }));
      await postNotice(knex, NEWS('new', { at: 5000 }));
      await knex('notice_channels').insert({
        ...{ id: 'k', agency: 'H35.12', kind: 'email', target: 'a@b.example', active: true, created_by: 'x' },
        ...{ created_at: 0, updated_at: 0, failures: 0 },
      });
      await postNotice(knex, NEWS('failed', { at: 1000 }));
      await knex('outbox').update({ state: 'failed' });
      await postNotice(knex, NEWS('waiting', { at: 1000 }));
      await deleteOldNotices(knex, 4000, 10);
      const keys = (await knex('notices').select('key')).map(({ key }: { key: string }) => key).sort();
      assert.deepEqual(keys, ['failed', 'new', 'waiting']);
    });
  });
}

describe('notices by a mail server with a login and a certificate of its own', function () {
  this.timeout(60_000);
  const authority = makeIdentity('Co quan chung thuc thu', { authority: true });
  const server = makeIdentity('mail', { issuer: authority });
  const login = { user: 'lgsp', password: 'mật khẩu thư' };

  async function sent(
    options: MailServerOptions,
    smtp: object,
  ): Promise<{ mails: number; error: string | null }> {
    const test = await embedded.create();
    const mail = await startMailServer(options);
    const ca = join(test.dataDir, 'ca.pem');
    writeFileSync(ca, authority.cert);
    await addAgency(test.database, 'H35.12');
    await addSystem(test.database, 'cung-cap', 'H35.12', { roles: ['provider'] });
    const where = { host: '127.0.0.1', port: mail.port, from: 'lgsp@example.vn' };
    const trusted = (smtp as { trusted?: boolean }).trusted === false ? {} : { caFile: ca };
    const { trusted: _said, ...more } = smtp as { trusted?: boolean };
    const node = await startTestGateway(test, { smtp: { ...where, ...trusted, ...more } });
    try {
      await openChannel(node.call, { kind: 'email', target: 'van-thu@example.vn' });
      await postNotice(test.database.knex, NEWS('cp-1'));
      const row = await eventually(async () => {
        const [found] = (await test.database.knex('outbox').select()) as {
          state: string;
          last_error: string | null;
        }[];
        return found?.state === 'sent' || found?.last_error != null ? found : undefined;
      }, 'an attempt has ended');
      return { mails: mail.mails.length, error: row.last_error };
    } finally {
      await node.close();
      await mail.close();
      await test.drop();
    }
  }

  it('are sent under TLS after signing in', async () => {
    const { user, password } = login;
    assert.deepEqual(await sent({ tls: server, login }, { user, password }), { mails: 1, error: null });
  });

  it('are not sent with a wrong password, which is not repeated', async () => {
    const { mails, error } = await sent({ tls: server, login }, { user: login.user, password: 'sai' });
    assert.deepEqual([mails, error], [0, 'SMTP 535']);
  });

  it('are not sent to a server whose certificate nobody vouches for', async () => {
    const { mails, error } = await sent({ tls: server }, { trusted: false });
    assert.equal(mails, 0);
    assert.notEqual(error, null);
  });
});
