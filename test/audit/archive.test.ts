import assert from 'node:assert/strict';
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { ArchivedRecords } from '../../gateway/audit/archive/archived-records.js';
import { classOf } from '../../gateway/audit/archive/classes.js';
import { monthsBefore } from '../../gateway/audit/archive/retention.js';
import { verifySegment } from '../../gateway/audit/archive/verify-segment.js';
import { derivedUuid, timeOf, uuidv7 } from '../../gateway/base/ids.js';
import { parseVerifierKey } from '../../gateway/audit/checkpoint.js';
import { verifyReceipt } from '../../gateway/audit/receipt.js';
import type { AuditRecord } from '../../gateway/audit/record.js';
import { searchRecords } from '../../gateway/audit/search.js';
import type { Verification } from '../../gateway/audit/verify/verify.js';
import { storedReceipt } from '../../gateway/audit/stored-receipt.js';
import { segmentsBetween } from '../../gateway/store/log-segments.js';
import { engines } from '../kit/databases.js';
import { ArchivedLog, NEW, NOW, OLD, PERIODS } from './archive-log.js';
import { eventually, startLog, tamper, verifierKeys } from './log.js';
import { aRecord } from './records.js';

/** Whole tiles of what is old. */
const SEALED = OLD - (OLD % 256);
const keys = verifierKeys.map(parseVerifierKey);

const BASIS = {
  ...{ id: 'qd-luu-tru', number: '12/QĐ-UBND', title: 'Thời hạn lưu trữ', issuer: 'UBND' },
  ...{ kind: 'quyet_dinh', search: '', created_at: 0, updated_at: 0 },
};

describe('what was so many months ago', () => {
  it('begins with a calendar month of Vietnam', () => {
    // 01:30 on the first of March in Vietnam is still February in UTC.
    const now = Date.parse('2028-02-29T18:30:00Z');
    assert.equal(new Date(monthsBefore(now, 0)).toISOString(), '2028-02-29T17:00:00.000Z');
    assert.equal(new Date(monthsBefore(now, 24)).toISOString(), '2026-02-28T17:00:00.000Z');
    assert.equal(new Date(monthsBefore(now, 1)).toISOString(), '2028-01-31T17:00:00.000Z');
  });
});

describe('the time of an id', () => {
  it('is that of a UUIDv7, and of no other', () => {
    assert.equal(timeOf(uuidv7(NOW)), NOW);
    assert.equal(timeOf(derivedUuid('x')), null);
    assert.equal(timeOf('nonsense'), null);
  });
});

describe('the class of a record', () => {
  it('is by its plane, so that an opening and its closing record stay together', () => {
    const planes = ['data', 'sandbox', 'open', 'admin', 'system'] as const;
    assert.deepEqual(
      planes.map((plane) => classOf({ plane })),
      ['calls', 'calls', 'logins', 'acts', 'acts'],
    );
  });
});

for (const engine of engines) {
  describe(`a log whose older part is sealed, on ${engine.name}`, function () {
    this.timeout(120_000);
    let log: ArchivedLog;
    let before300: { id: string; leaf: string };
    let receipt300: string | null;
    let whole: Verification;
    before(async () => {
      log = await ArchivedLog.open(engine);
      const { database } = log.test;
      before300 = await database.knex('records').where({ seq: 300 }).first('id', 'leaf');
      receipt300 = await storedReceipt(database, 300);
      whole = await log.verify();
      await log.round();
    });
    after(() => log.close());

    const segments = () => segmentsBetween(log.test.database.knex, 0, 1_000_000);
    const descriptor = async () => join(log.folder, (await segments())[0]?.name ?? '');

    it('moves whole tiles into files; the table shrinks, and the proof remains', async () => {
      const seqs = await log.seqs();
      // What is left, and the act that says so.
      assert.equal(seqs.length, OLD + NEW + 1 - SEALED);
      assert.equal(seqs[0], SEALED);
      const [segment, ...more] = await segments();
      assert.deepEqual([segment?.from_seq, segment?.to_seq, more.length], [0, SEALED, 0]);
      assert.equal(
        segment?.files.reduce((sum, file) => sum + file.records, 0),
        SEALED,
      );
      assert.equal(
        await log.test.database.knex('record_subjects').where('seq', '<', SEALED).first(),
        undefined,
      );
      const after = await log.verify();
      assert.deepEqual([after.ok, after.size, after.hashesOnly], [true, whole.size + 1, 0]);
      const byThreads = await log.verify(log.folder, 2);
      assert.deepEqual(byThreads, after);
    });

    it('says what is wrong when the folder is not named', async () => {
      const { ok, fault } = await log.verify(null);
      assert.deepEqual([ok, fault?.what, fault?.index], [false, 'archive', 0]);
    });

    it('shows an archived record by its id, its receipt, and only to whom may see it', async () => {
      const { database } = log.test;
      const [row, receipt] = [before300, receipt300];
      const archived = new ArchivedRecords(database, log.folder);
      const record = await archived.find(row.id, { all: true });
      assert.deepEqual(record, { ...(JSON.parse(row.leaf) as AuditRecord), index: 300 });
      assert.equal((await archived.find(row.id, { agency: 'H35.61' }))?.index, 300);
      assert.equal(await archived.find(row.id, { provider: 'H35.61' }), null);
      const { files = [] } = (await segments())[0] ?? {};
      const calls = join(log.folder, files.find((file) => file.class === 'calls')?.name ?? '');
      renameSync(calls, `${calls}.elsewhere`);
      assert.equal(await archived.find(row.id, { all: true }), null);
      assert.equal(await archived.unreadableWith(row.id), basename(calls));
      renameSync(`${calls}.elsewhere`, calls);
      assert.equal(await archived.unreadableWith(row.id), null);
      assert.equal(await archived.find('019b0000-0000-7000-8000-000000000000', { all: true }), null);
      assert.equal(await storedReceipt(database, 300), null);
      assert.equal(await storedReceipt(database, 300, archived), receipt);
      assert.equal(verifyReceipt(receipt ?? '', keys).ok, true);
      assert.deepEqual((await searchRecords(database, { id: row.id }, { all: true })).items, []);
      const leaves = await archived.leaves(256, 512);
      assert.equal(leaves.size, 256);
    });

    it('verifies with its files alone, and names the class that is not there', async () => {
      const path = await descriptor();
      const seen: number[] = [];
      const found = await verifySegment({
        descriptor: path,
        trusted: keys,
        onRecord: ({ index }) => seen.push(index),
      });
      assert.deepEqual(
        found.files.map(({ verdict }) => verdict),
        ['records', 'records', 'records'],
      );
      assert.deepEqual(
        seen.sort((a, b) => a - b),
        Array.from({ length: SEALED }, (_, i) => i),
      );
      const logins = (await segments())[0]?.files.find((file) => file.class === 'logins');
      const [there, elsewhere] = [join(log.folder, logins?.name ?? ''), join(log.folder, 'elsewhere')];
      renameSync(there, elsewhere);
      await assert.rejects(verifySegment({ descriptor: path, trusted: keys }), /logins.*is missing/);
      const without = await verifySegment({ descriptor: path, trusted: keys, without: ['logins'] });
      assert.equal(without.files.find(({ file }) => file.class === 'logins')?.verdict, 'absent');
      renameSync(elsewhere, there);
      await assert.rejects(verifySegment({ descriptor: path, trusted: [] }), /no trusted key/);
    });

    it('is told by verification when a file is gone and no record says that it was destroyed', async () => {
      await log.test.database.knex('log_segment_files').where({ class: 'acts' }).update({ destroyed_at: 1 });
      const { fault } = await log.verify();
      assert.deepEqual([fault?.what, fault?.index], ['archive', 0]);
      assert.match(fault?.detail ?? '', /no record says that it was destroyed/);
      await log.test.database.knex('log_segment_files').update({ destroyed_at: null });
    });
  });

  describe(`sealing what is old, on ${engine.name}`, function () {
    this.timeout(120_000);
    let log: ArchivedLog;
    beforeEach(async () => {
      log = await ArchivedLog.open(engine);
    });
    afterEach(() => log.close());

    const segments = () => segmentsBetween(log.test.database.knex, 0, 1_000_000);
    const descriptor = async () => join(log.folder, (await segments())[0]?.name ?? '');

    it('finds nothing to do the second time, and goes on where it ended', async () => {
      await log.round();
      const files = readdirSync(log.folder);
      await log.round();
      assert.deepEqual(readdirSync(log.folder), files);
      // A month later the rest is old, too.
      log.now += 40 * 86_400_000 * 24;
      await log.round();
      const found = await segments();
      assert.equal(found.length, 2);
      assert.equal(found[1]?.from_seq, SEALED);
      assert.equal((await log.verify()).ok, true);
    });

    it('leaves each class its own time in the table', async () => {
      await log.round({ periods: { ...PERIODS, acts: { ...PERIODS.acts, months: 60 } } });
      const { knex } = log.test.database;
      const planes = await knex('records').where('seq', '<', SEALED).distinct('plane').pluck('plane');
      assert.deepEqual(planes, ['admin']);
      const acts = Number((await knex('records').where('seq', '<', SEALED).count({ n: '*' }).first())?.n);
      assert.equal(acts, Array.from({ length: SEALED }, (_, i) => i).filter((i) => i % 7 === 3).length);
      assert.equal((await log.verify()).ok, true);
      await log.round();
      assert.equal((await log.seqs())[0], SEALED);
      assert.equal((await log.verify()).ok, true);
    });

    it('takes nothing that somebody who follows the record has not seen', async () => {
      const { knex } = log.test.database;
      await knex('progress').where({ name: 'grant-use' }).update({ value: 700 });
      await log.round();
      assert.equal((await segments())[0]?.to_seq, 512);
      await log.passed();
      await knex('feed_cursors').insert({ sink: 'soc', seq: 1200, resume_seq: 1100, updated_at: 0 });
      await log.round({ sinks: ['soc'] });
      assert.equal((await segments()).at(-1)?.to_seq, 1024);
    });

    it('keeps back what is not old, also when a clock was wrong', async () => {
      log.now -= 3 * 31 * 86_400_000;
      await log.round();
      assert.deepEqual(await segments(), []);
      assert.equal((await log.seqs()).length, OLD + NEW);
    });

    it('encrypts to a public key: the hashes prove on, and the private key opens it', async () => {
      const identity = await generateX25519Identity();
      await log.round({ encryptTo: [await identityToRecipient(identity)] });
      const { ok, hashesOnly } = await log.verify();
      assert.deepEqual([ok, hashesOnly], [true, SEALED]);
      for (const name of readdirSync(log.folder).filter((one) => one.endsWith('.age')))
        assert.match(name, /\.jsonl\.gz\.age$/);
      const path = await descriptor();
      const verdicts = async (identities: string[]) =>
        (await verifySegment({ descriptor: path, trusted: keys, identities })).files.map(
          ({ verdict }) => verdict,
        );
      assert.deepEqual(await verdicts([]), ['digest', 'digest', 'digest']);
      assert.deepEqual(await verdicts([identity]), ['records', 'records', 'records']);
      await assert.rejects(verdicts([await generateX25519Identity()]), /not encrypted to any/);
      const archived = new ArchivedRecords(log.test.database, log.folder);
      const { files } = (await segments())[0] ?? { files: [] };
      assert.ok(files.every((file) => file.encrypted));
      assert.equal((await archived.leaves(0, 256)).size, 0);
    });

    it('destroys a file when its time is over, by a record that names the legal basis; hashes prove on', async () => {
      const periods = { ...PERIODS, calls: { months: 24, fileMonths: 24, legalBasis: 'qd-luu-tru' } };
      const unknown = await log.round({ periods });
      // No such basis: it stays, and somebody is told.
      assert.equal(unknown.failing, true);
      const { knex } = log.test.database;
      const [notice] = await knex('notices').where({ kind: 'archive_failed' });
      assert.match(notice.text_en, /qd-luu-tru is no legal basis/);
      await knex('legal_bases').insert(BASIS);
      assert.equal((await log.round({ periods })).failing, false);
      const [segment] = await segments();
      const calls = segment?.files.find((file) => file.class === 'calls');
      assert.equal(calls?.destroyed_at, log.now);
      assert.equal(existsSync(join(log.folder, calls.name)), false);
      const { ok, hashesOnly } = await log.verify();
      assert.deepEqual([ok, hashesOnly], [true, calls.records]);
      const [act] = await knex('records').where({ operation: 'destroyLogSegmentFile' });
      assert.match(act.leaf, /"legalBasis":"qd-luu-tru"/);
    });

    it('destroys no file while its records are in the table', async () => {
      const { knex } = log.test.database;
      await knex('legal_bases').insert(BASIS);
      // A file that goes before its records do: the settings allow no such periods, a clock might.
      const calls = { months: 60, fileMonths: 1, legalBasis: BASIS.id };
      const logins = { months: 24, fileMonths: 24, legalBasis: BASIS.id };
      assert.equal((await log.round({ periods: { ...PERIODS, calls, logins } })).failing, false);
      const files = await knex('log_segment_files').orderBy('class');
      assert.deepEqual(
        files.filter((file) => file.destroyed_at !== null).map((file) => file.class),
        ['logins'],
      );
      assert.equal((await log.verify()).ok, true);
    });

    it('goes on with rows that a stop left in the table', async () => {
      await log.round();
      const { knex } = log.test.database;
      // As if it had been stopped in the middle: what left is there again, from the file.
      const archived = new ArchivedRecords(log.test.database, log.folder);
      const leaves = await archived.leaves(1000, 1010);
      assert.equal(leaves.size, 10);
      await knex('log_segment_files').update({ rows_removed_at: null });
      const missing = await log.verify();
      assert.deepEqual([missing.fault?.what, missing.fault?.index], ['missing', 0]);
      await log.round();
      assert.equal((await log.verify()).ok, true);
    });

    it('takes nothing away from a node that was idle meanwhile', async () => {
      const idle = await startLog(log.test.again());
      await log.round();
      await idle.write(aRecord());
      await idle.close();
      assert.equal((await log.verify()).ok, true);
    });

    it('puts aside what a stop left in the folder, and deletes no evidence', async () => {
      const strange = 'log-000000000000-000000000256.calls.jsonl.gz';
      writeFileSync(join(log.folder, strange), 'left behind');
      writeFileSync(join(log.folder, 'log-000000000000-000000000256.leaves.draft'), 'half');
      await log.round();
      assert.ok(existsSync(join(log.folder, 'superseded', String(log.now), strange)));
      assert.ok(!readdirSync(log.folder).some((name) => name.endsWith('.draft')));
      assert.equal((await log.verify()).ok, true);
    });

    it('seals nothing into a folder that is not the archive, and nothing where it cannot write', async () => {
      await log.round();
      const sealed = (await segments()).length;
      log.now += 40 * 86_400_000 * 24;
      const elsewhere = await log.round({ folder: join(log.folder, 'not-mounted') });
      assert.equal(elsewhere.failing, true);
      assert.equal((await segments()).length, sealed);
      const [notice] = await log.test.database.knex('notices').where({ kind: 'archive_failed' });
      assert.match(notice.text_en, /is it mounted/);
      const fine = await log.round();
      assert.equal(fine.failing, false);
    });

    it('takes from the database no name that leads out of the folder', async () => {
      const { knex } = log.test.database;
      const outside = join(log.folder, '..', `lgsp-outside-${process.pid}`);
      writeFileSync(outside, 'not ours');
      await log.round();
      await knex('log_segment_files')
        .where({ class: 'acts' })
        .update({ name: `../${basename(outside)}`, destroyed_at: 1 });
      assert.equal((await log.round()).failing, true);
      assert.ok(existsSync(outside));
      rmSync(outside);
      assert.equal((await log.verify()).fault?.what, 'archive');
    });

    it('enters nothing for a node whose turn another has taken meanwhile', async () => {
      const { knex } = log.test.database;
      await knex('turns').update({ next_at: 0, leased_by: null, lease_until: null });
      const archiving = log.start();
      // Its thread has only just been started: it cannot have sealed anything yet.
      await eventually(
        async () => (await knex('turns').whereNotNull('leased_by').first()) as object | undefined,
      );
      await knex('turns').update({ leased_by: 'another', lease_until: log.now + 60_000 });
      await eventually(() => Promise.resolve(archiving.failing || undefined), 800);
      await archiving.close();
      assert.deepEqual(await segments(), []);
      assert.equal((await log.round()).failing, false);
      assert.equal((await segments()).length, 1);
      assert.equal((await log.verify()).ok, true);
    });

    it('seals nothing that does not hold', async () => {
      await tamper(log.test.database, (knex) => knex('records').where({ seq: 700 }).update({ leaf: '{}' }));
      assert.equal((await log.round()).failing, true);
      assert.deepEqual(await segments(), []);
      assert.deepEqual(
        readdirSync(log.folder).filter((name) => name.startsWith('log-')),
        [],
      );
    });

    it('lets nobody delete what is not sealed, or change what is', async () => {
      const { knex } = log.test.database;
      await log.round({ periods: { ...PERIODS, acts: { ...PERIODS.acts, months: 60 } } });
      await assert.rejects(knex('records').where({ seq: SEALED }).delete(), /append-only/);
      await assert.rejects(knex('records').where({ seq: 3 }).update({ leaf: '{}' }), /append-only/);
      await assert.rejects(knex('log_segments').delete(), /append-only/);
      await assert.rejects(knex('log_segments').update({ to_seq: 1 }), /append-only/);
      await assert.rejects(knex('log_segment_files').delete(), /append-only/);
      assert.equal(await knex('records').where({ seq: 3 }).delete(), 1);
    });
  });
}
