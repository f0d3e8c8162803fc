import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { noteKeys, noteSigner, verifierKeyText } from '../../gateway/audit/checkpoint.js';
import {
  type HandOver,
  handOverRecord,
  handOverText,
  signHandOver,
} from '../../gateway/audit/key-hand-over.js';
import type { KeyedRecorder } from '../../gateway/audit/log-key.js';
import { verifyLog } from '../../gateway/audit/verify/verify.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { logKeys, ORIGIN, startLog, verifierKeys } from './log.js';
import { aRecord, T0 } from './records.js';

const keys = [logKeys.privateKey, ...[1, 2].map(() => generateKeyPairSync('ed25519').privateKey)];
const signers = keys.map((key) => noteSigner(ORIGIN, key));
const hashes = signers.map(({ verifierKey }) => verifierKey.split('+')[1]!);
const handOver = (from: number, to: number): HandOver =>
  signHandOver(signers[from]!, signers[to]!.verifierKey);
const act = (from: number, to: number) => handOverRecord(handOver(from, to), T0 + to);
const laterLogKeys = keys.slice(1).map((privateKey, i) => ({ kid: `log-${i + 2}`, privateKey }));
const writeMany = (recorder: KeyedRecorder, count: number) =>
  Promise.all(Array.from({ length: count }, () => recorder.write(aRecord())));

for (const engine of engines) {
  describe(`the log key handed over on ${engine.name}`, () => {
    let test: TestDatabase;
    const open: KeyedRecorder[] = [];
    const start = async (change = {}): Promise<KeyedRecorder> => {
      const recorder = await startLog(test.again(), { laterLogKeys, ...change });
      open.push(recorder);
      return recorder;
    };
    /** Who signed each checkpoint, by the number of its key. */
    const signed = async (): Promise<number[][]> => {
      const rows = await test.database.knex('log_checkpoints').orderBy('tree_size').select('note');
      return rows.map(({ note }: { note: string }) =>
        noteKeys(note, ORIGIN).map((key) => hashes.indexOf(key)),
      );
    };

    beforeEach(async () => (test = await engine.create()));
    afterEach(async () => {
      for (const recorder of open.splice(0)) await recorder.close();
      await test.drop();
    });

    it('signs with the first until it is handed over, once with both, then with the next', async () => {
      const recorder = await start();
      await recorder.write(aRecord());
      const { index } = await recorder.write(act(0, 1));
      await recorder.write(aRecord());
      assert.deepEqual(await signed(), [[0], [0, 1], [1]]);
      assert.equal(index, 1);
      assert.deepEqual(await verifyLog(test.database, { verifierKeys }).then(({ ok, size }) => [ok, size]), [
        true,
        3,
      ]);
    });

    it('goes on with the last key after a restart, and verifies from the first key alone', async () => {
      const recorder = await start();
      await recorder.write(act(0, 1));
      await Promise.all([recorder.write(act(1, 2)), recorder.write(aRecord())]);
      await recorder.close();
      await (await start()).write(aRecord());
      assert.deepEqual(await signed(), [[0, 1], [1, 2], [2]]);
      assert.equal((await verifyLog(test.database, { verifierKeys })).ok, true);
      const last = [signers[2]!.verifierKey];
      const { fault } = await verifyLog(test.database, { verifierKeys: last });
      assert.deepEqual([fault?.index, fault?.what], [0, 'handover'], 'the last key vouches for no beginning');
    });

    it('can pass through two keys in one batch', async () => {
      const recorder = await start();
      await Promise.all([recorder.write(act(0, 1)), recorder.write(act(1, 2))]);
      await recorder.write(aRecord());
      assert.deepEqual(await signed(), [[0, 1, 2], [2]]);
      assert.equal((await verifyLog(test.database, { verifierKeys })).ok, true);
    });

    it('keeps one record of it, whichever nodes write it, under load', async () => {
      const nodes = [await start(), ...(engine.name === 'PostgreSQL' ? [await start(), await start()] : [])];
      const load = nodes.map(async (node) => {
        for (let i = 0; i < 12; i++) await writeMany(node, 10);
      });
      await Promise.all(nodes.map((node) => node.write(act(0, 1))));
      await Promise.all(nodes.map((node) => node.write(act(1, 2))));
      await Promise.all(load);
      await Promise.all(nodes.map((node) => node.write(aRecord())));
      const acts = await test.database.knex('records').where({ noun: 'log-key' });
      assert.equal(acts.length, 2);
      assert.deepEqual((await signed()).at(-1), [2]);
      const result = await verifyLog(test.database, { verifierKeys });
      assert.deepEqual([result.ok, result.size], [true, nodes.length * 121 + 2], result.fault?.detail);
    });

    it('is learnt by a node that runs, and refused to one that has not heard of the key', async () => {
      const early = await start({ laterLogKeys: [] });
      const other = await start();
      await early.write(aRecord());
      await other.write(act(0, 1));
      await assert.rejects(early.write(aRecord()), { code: 'record_unavailable' });
      early.learnKeys([{ kid: 'log-1', privateKey: keys[0]! }, ...laterLogKeys]);
      await early.write(aRecord());
      assert.deepEqual((await signed()).at(-1), [1]);
      assert.equal((await verifyLog(test.database, { verifierKeys })).ok, true);
    });

    it('is not handed over by a key that does not sign it', async () => {
      const recorder = await start();
      await recorder.write(aRecord());
      await assert.rejects(recorder.write(act(1, 2)), { code: 'record_unavailable' });
      await recorder.write(aRecord());
      assert.deepEqual(await signed(), [[0], [0]]);
    });

    const stranger = noteSigner(ORIGIN, generateKeyPairSync('ed25519').privateKey);
    const [first, second] = [signers[0]!, signers[1]!];
    const sign = (by: { sign(text: string): string }, text: string): HandOver => ({
      from: first.verifierKey,
      to: second.verifierKey,
      note: by.sign(text),
    });
    const right = handOverText(ORIGIN, first.verifierKey, second.verifierKey);
    const forgeries: readonly (readonly [name: string, handOver: HandOver])[] = [
      ['signed by the key that follows', sign(second, right)],
      ['signed by a stranger', sign(stranger, right)],
      ['about another key', sign(first, handOverText(ORIGIN, first.verifierKey, stranger.verifierKey))],
      ['of another log', sign(first, right.replace(ORIGIN, 'other.test/log'))],
      ['without a signature', { ...sign(first, right), note: right }],
      ['that is a checkpoint', sign(first, `${ORIGIN}\n1\n${Buffer.alloc(32).toString('base64')}\n`)],
    ];
    for (const [name, forged] of forgeries)
      it(`is named by verification when the hand-over is one ${name}`, async () => {
        const recorder = await start();
        await recorder.write(aRecord());
        await recorder.write(handOverRecord(forged, T0));
        await recorder.write(aRecord());
        const { ok, fault, size } = await verifyLog(test.database, { verifierKeys });
        assert.deepEqual([ok, size, fault?.index, fault?.what], [false, 1, 1, 'handover']);
      });

    it('is not believed without its record: a key alone cannot take over', async () => {
      await (await start()).write(aRecord());
      const node = await start({ logKey: { kid: 'x', privateKey: keys[1]! }, laterLogKeys: [] }).catch(
        () => null,
      );
      assert.equal(node, null);
      const all = keys.map((key: KeyObject) => verifierKeyText(ORIGIN, key));
      assert.equal((await verifyLog(test.database, { verifierKeys: all })).ok, true);
    });
  });
}
