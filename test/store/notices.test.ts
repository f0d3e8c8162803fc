import assert from 'node:assert/strict';
import { insertAgency } from '../../gateway/store/agencies.js';
import { insertChannel } from '../../gateway/store/notice-channels.js';
import {
  countUnread,
  findNotice,
  markAllRead,
  markRead,
  type Notice,
  pageNotices,
  postNotice,
  type Reader,
} from '../../gateway/store/notices.js';
import { leaseNext, settle } from '../../gateway/store/outbox.js';
import { engines, type TestDatabase } from '../kit/databases.js';

const NOW = Date.UTC(2026, 4, 20, 2);

const NOTICE: Notice = {
  agency: 'H35.1',
  kind: 'grant_expiring',
  noun: 'grant',
  key: 'g-1',
  title: { vi: 'Sắp hết hạn', en: 'About to expire' },
  text: { vi: 'Còn 7 ngày.', en: 'Seven days are left.' },
  at: NOW,
};

const reader = (agency: string, roles: readonly string[], user?: string): Reader => ({
  agency,
  roles,
  name: user ?? 'may-1',
  ...(user === undefined ? {} : { user }),
});

for (const engine of engines) {
  describe(`notices in the store, ${engine.name}`, () => {
    let test: TestDatabase;

    beforeEach(async () => {
      test = await engine.create();
      for (const code of ['H35.1', 'H35.2'])
        await insertAgency(test.database.knex, {
          code,
          alias: null,
          name: code,
          level: 'department',
          parent_code: null,
          valid_from: '2026-01-01',
          valid_to: null,
          created_at: NOW,
          updated_at: NOW,
        });
    });
    afterEach(() => test.drop());

    const channel = (id: string, patch: { kinds?: string | null; active?: boolean; agency?: string } = {}) =>
      insertChannel(test.database.knex, {
        id,
        agency: 'H35.1',
        kind: 'email',
        target: 'a@b.example',
        kinds: null,
        sealed_secret: null,
        active: true,
        created_by: 'x',
        created_at: NOW,
        updated_at: NOW,
        failures: 0,
        disabled_at: null,
        disabled_reason: null,
        ...patch,
      });
    const outbox = async () =>
      (await test.database.knex<{ channel_id: string }>('outbox').select('channel_id'))
        .map((row) => row.channel_id)
        .sort();

    it('puts a notice up for the active channels of the agency that want its kind', async () => {
      await channel('all');
      await channel('this', { kinds: '["other","grant_expiring"]' });
      await channel('other-kind', { kinds: '["other"]' });
      await channel('off', { active: false });
      await channel('other-agency', { agency: 'H35.2' });
      await postNotice(test.database.knex, NOTICE);
      assert.deepEqual(await outbox(), ['all', 'this']);
    });

    it('leaves nothing behind when the change it tells of is taken back', async () => {
      await channel('all');
      await assert.rejects(
        test.database.knex.transaction(async (trx) => {
          await postNotice(trx, NOTICE);
          throw new Error('no');
        }),
      );
      assert.deepEqual(await outbox(), []);
      assert.equal(await countUnread(test.database.knex, reader('H35.1', [])), 0);
    });

    it('ignores a second notice with the same key and lets the transaction go on', async () => {
      await channel('all');
      for (const dedupe of ['a', 'a', 'b', 'a'])
        await test.database.knex.transaction(async (trx) => {
          await postNotice(trx, { ...NOTICE, dedupe });
          await postNotice(trx, { ...NOTICE, agency: 'H35.2' });
        });
      assert.equal(await countUnread(test.database.knex, reader('H35.1', [])), 2);
      assert.equal(await countUnread(test.database.knex, reader('H35.2', [])), 4);
      assert.equal((await outbox()).length, 2);
    });

    it('shows each reader what is for their agency, role and person', async () => {
      const { knex } = test.database;
      await postNotice(knex, { ...NOTICE, key: 'all' });
      await postNotice(knex, { ...NOTICE, key: 'consumers', role: 'consumer' });
      await postNotice(knex, { ...NOTICE, key: 'an', user: 'an' });
      await postNotice(knex, { ...NOTICE, key: 'an-provider', user: 'an', role: 'provider' });
      await postNotice(knex, { ...NOTICE, key: 'other', agency: 'H35.2' });
      const cases: [Reader, string[]][] = [
        [reader('H35.1', []), ['all']],
        [reader('H35.1', ['consumer']), ['all', 'consumers']],
        [reader('H35.1', ['operator', 'manager']), ['all']],
        [reader('H35.1', ['consumer'], 'an'), ['all', 'an', 'consumers']],
        [reader('H35.1', ['provider'], 'an'), ['all', 'an', 'an-provider']],
        [reader('H35.1', ['provider'], 'binh'), ['all']],
        [reader('H35.2', ['operator', 'consumer', 'provider'], 'an'), ['other']],
        [reader('H35.3', ['operator']), []],
      ];
      for (const [who, expected] of cases) {
        const { rows } = await pageNotices(knex, who, {}, { limit: 10 });
        assert.deepEqual(rows.map((row) => row.key).sort(), expected, JSON.stringify(who));
        assert.equal(await countUnread(knex, who), expected.length);
        const everything = await knex<{ id: string; key: string }>('notices').select('id', 'key');
        for (const { id, key } of everything)
          assert.equal((await findNotice(knex, who, id)) !== undefined, expected.includes(key));
      }
    });

    it('notes what was read for each reader alone, and all of it at once', async () => {
      const { knex } = test.database;
      for (const n of [1, 2, 3]) await postNotice(knex, { ...NOTICE, at: NOW + n, key: `g-${n}` });
      await postNotice(knex, { ...NOTICE, agency: 'H35.2' });
      const an = reader('H35.1', [], 'an');
      const binh = reader('H35.1', [], 'binh');
      const { rows } = await pageNotices(knex, an, {}, { limit: 2 });
      assert.deepEqual(
        rows.map((row) => row.key),
        ['g-3', 'g-2'],
      );
      await markRead(knex, an, rows[0]?.id ?? '', NOW + 9);
      await markRead(knex, an, rows[0]?.id ?? '', NOW + 99);
      assert.equal((await findNotice(knex, an, rows[0]?.id ?? ''))?.read_at, NOW + 9);
      assert.equal(await countUnread(knex, an), 2);
      assert.equal(await countUnread(knex, binh), 3);
      const unread = await pageNotices(knex, an, { unread: true }, { limit: 9 });
      assert.deepEqual(
        unread.rows.map((row) => row.key),
        ['g-2', 'g-1'],
      );
      const read = await pageNotices(knex, an, { unread: false }, { limit: 9 });
      assert.equal(read.rows.length, 1);
      assert.equal(await markAllRead(knex, an, NOW + 10), 2);
      assert.equal(await markAllRead(knex, an, NOW + 11), 0);
      assert.equal(await countUnread(knex, an), 0);
      assert.equal(await countUnread(knex, binh), 3);
      assert.equal(await countUnread(knex, reader('H35.2', [])), 1);
    });

    it('gives a message to one node at a time, to the next when the lease is over', async () => {
      await channel('one');
      await postNotice(test.database.knex, NOTICE);
      const other = test.again();
      const ask = { leaseMs: 1000, notTo: [] };
      assert.equal(await leaseNext(test.database, { ...ask, now: NOW - 1, node: 'a' }), undefined);
      const a = await leaseNext(test.database, { ...ask, now: NOW, node: 'a' });
      assert.ok(a !== undefined);
      assert.equal(a.attempts, 1);
      assert.equal(await leaseNext(other, { ...ask, now: NOW + 999, node: 'b' }), undefined);
      assert.equal(await leaseNext(other, { ...ask, now: NOW + 1000, node: 'b', notTo: ['one'] }), undefined);
      const b = await leaseNext(other, { ...ask, now: NOW + 1000, node: 'b' });
      assert.ok(b !== undefined);
      assert.equal(b.attempts, 2);
      assert.equal(await settle(test.database.knex, a, { state: 'failed' }), false);
      assert.equal(await settle(other.knex, b, { state: 'sent', sent_at: NOW }), true);
      assert.equal(await leaseNext(other, { ...ask, now: NOW + 9e9, node: 'b' }), undefined);
    });
  });
}
