import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noteSigner, parseVerifierKey } from '../../gateway/audit/checkpoint.js';
import { signHandOver } from '../../gateway/audit/key-hand-over.js';
import { leafOf, LEAF_BYTES } from '../../gateway/audit/leaf.js';
import type { PublishedKeys } from '../../gateway/audit/published-keys.js';
import { verifyConsistency, verifyInclusion } from '../../gateway/audit/proofs.js';
import { followHandOvers, formatReceipt, parseReceipt, verifyReceipt } from '../../gateway/audit/receipt.js';
import { HASH_BYTES, leafHash } from '../../gateway/audit/tree.js';
import { runCommand } from '../../gateway/cli/program.js';
import { receiptWanted } from '../../gateway/pipeline/receipt-wanted.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addSystem } from '../kit/province.js';
import { ORIGIN } from './log.js';
import { aRecord } from './records.js';

const b64 = (text: string): Buffer => Buffer.from(text, 'base64');
const WANT = { headers: { 'want-receipt': '?1' } };
const receiptIn = (response: Response): string =>
  b64(response.headers.get('lgsp-receipt')?.slice(1, -1) ?? '').toString('utf8');

async function lgsp(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const code = await runCommand(args, {
    env: {},
    out: (text) => void (said.out += `${text}\n`),
    err: (text) => void (said.err += `${text}\n`),
  });
  return { code, ...said };
}

describe('Want-Receipt', () => {
  const asked: readonly (readonly [header: string | undefined, wanted: boolean])[] = [
    ['?1', true],
    ['?1;a', true],
    [' ?1 ', true],
    ['?0', false],
    ['1', false],
    ['true', false],
    ['?1, ?1', false],
    ['', false],
    [undefined, false],
  ];
  for (const [header, wanted] of asked)
    it(`${wanted ? 'asks' : 'does not ask'} by «${header ?? 'absent'}»`, () =>
      assert.equal(receiptWanted(header), wanted));
});

describe('the keys of receipts', () => {
  const [one, two, three] = [1, 2, 3].map(() =>
    noteSigner(ORIGIN, generateKeyPairSync('ed25519').privateKey),
  );
  const known = [parseVerifierKey(one!.verifierKey)];

  it('are followed from the first through its hand-overs, and no others', () => {
    const first = signHandOver(one!, two!.verifierKey);
    const second = signHandOver(two!, three!.verifierKey);
    assert.equal(followHandOvers(known, [first, second]).length, 3);
    assert.equal(followHandOvers(known, [second]).length, 1);
    assert.equal(followHandOvers(known, [{ ...first, to: three!.verifierKey }, second]).length, 1);
    assert.throws(() => followHandOvers(known, [{ ...first, to: 'nonsense' }]), RangeError);
  });
});

describe('a leaf', () => {
  it('fits an entry bundle: what an act changed is digested where it is too large', () => {
    const small = aRecord({ target: { noun: 'x', key: 'y', after: 'a'.repeat(60_000) } });
    assert.match(leafOf(small), /a{60000}/);
    const leaf = leafOf(aRecord({ target: { noun: 'x', key: 'y', before: 'á', after: 'đ'.repeat(40_000) } }));
    assert.ok(Buffer.byteLength(leaf) <= LEAF_BYTES);
    const { target } = JSON.parse(leaf);
    assert.deepEqual([target.key, target.after.bytes], ['y', 80_002]);
    assert.throws(() => leafOf(aRecord({ user: 'x'.repeat(70_000) })), TypeError);
  });
});

for (const engine of engines) {
  describe(`receipts and the served log on ${engine.name}`, () => {
    let test: TestDatabase;
    let node: TestGateway;
    let keys: PublishedKeys;

    const get = (path: string, init?: RequestInit, client: string | null = 'auditor'): Promise<Response> =>
      node.call(client, `/api${path}`, init);

    before(async function () {
      this.timeout(90_000);
      test = await engine.create();
      await addAgency(test.database, 'H35.11');
      await addSystem(test.database, 'auditor', 'H35.11', { roles: ['auditor'] });
      await addSystem(test.database, 'consumer', 'H35.11', { roles: ['consumer'] });
      await addAgency(test.database, 'H35.12');
      await addSystem(test.database, 'stranger', 'H35.12', { roles: ['consumer'] });
      node = await startTestGateway(test);
      for (let i = 0; i < 7; i++) await Promise.all(Array.from({ length: 40 }, () => get('/me')));
      keys = (await (await get('/audit/log/keys')).json()) as PublishedKeys;
    });
    after(async () => {
      await node.close();
      await test.drop();
    });
    const trusted = () => keys.keys.map(parseVerifierKey);

    it('come with an answer that was asked for one, and later by the record', async () => {
      const response = await get('/me', WANT);
      const body = await response.text();
      const id = response.headers.get('lgsp-record') ?? '';
      assert.equal(response.headers.get('link'), `</api/audit/records/${id}/receipt>; rel="receipt"`);
      const text = receiptIn(response);
      const verdict = verifyReceipt(text, trusted());
      assert.ok(verdict.ok);
      assert.equal(verdict.record.id, id);
      const row = (await test.database.knex('records').where({ id }).select('leaf', 'seq'))[0];
      assert.deepEqual([parseReceipt(text)?.leaf, verdict.index], [row.leaf, row.seq]);
      const later = await get(`/audit/records/${id}/receipt`);
      assert.match(later.headers.get('content-type') ?? '', /^text\/plain/);
      assert.equal(await later.text(), text);
      const [file, bodyFile] = [join(test.dataDir, 'r.tlog-proof'), join(test.dataDir, 'body')];
      writeFileSync(file, text);
      writeFileSync(bodyFile, body);
      const key = keys.keys[0]!;
      const held = await lgsp('audit', 'verify', '--receipt', file, '--key', key, '--body', bodyFile);
      assert.deepEqual([held.code, held.err], [0, '']);
      assert.match(held.out, /Bản ghi có trong nhật ký[^]*Nội dung đáp ứng đúng/);
      writeFileSync(bodyFile, `${body} `);
      assert.equal(
        (await lgsp('audit', 'verify', '--receipt', file, '--key', key, '--body', bodyFile)).code,
        1,
      );
      assert.equal((await lgsp('audit', 'verify', '--receipt', file)).code, 2);
      assert.equal((await lgsp('audit', 'verify', '--receipt', `${file}x`, '--key', key)).code, 2);
      const programs = await lgsp('audit', 'verify', '--receipt', file, '--key', key, '--json');
      assert.deepEqual([programs.code, JSON.parse(programs.out).record.id], [0, id]);
    });

    it('come with refusals too, and not unasked', async () => {
      const refused = await get('/audit/records', WANT, null);
      assert.equal(refused.status, 401);
      const verdict = verifyReceipt(receiptIn(refused), trusted());
      assert.deepEqual(verdict.ok && [verdict.record.outcome, verdict.record.code], [
        'refused',
        'token_missing',
      ]);
      const plain = await get('/me');
      assert.deepEqual([plain.headers.get('lgsp-receipt'), plain.headers.get('link')], [null, null]);
    });

    it('prove nothing once a character is changed', async () => {
      const text = receiptIn(await get('/me', WANT));
      const receipt = parseReceipt(text)!;
      const other = parseReceipt(receiptIn(await get('/me', WANT)))!;
      const changed: readonly (readonly [string, string])[] = [
        [formatReceipt({ ...receipt, leaf: receipt.leaf.replace('H35.11', 'H35.12') }), 'inclusion'],
        [formatReceipt({ ...receipt, leaf: other.leaf }), 'inclusion'],
        [formatReceipt({ ...receipt, index: receipt.index - 1 }), 'inclusion'],
        [formatReceipt({ ...receipt, proof: receipt.proof.slice(1) }), 'inclusion'],
        [formatReceipt({ ...receipt, checkpoint: other.checkpoint }), 'inclusion'],
        [text.replace(/\n(\d+)\n(?=[^\n]+\n\n— )/, '\n9$1\n'), 'signature'],
        [text.replace('tlog-proof@v1', 'tlog-proof@v2'), 'malformed'],
        [text.replace('extra ', ''), 'malformed'],
        ['', 'malformed'],
      ];
      for (const [bad, fault] of changed)
        assert.deepEqual(verifyReceipt(bad, trusted()), { ok: false, fault }, bad);
      assert.deepEqual(verifyReceipt(text, []), { ok: false, fault: 'signature' });
    });

    it('are closed to who may not see the record', async () => {
      const [row] = await test.database.knex('records').where({ system: 'auditor' }).select('id').limit(1);
      assert.equal((await get(`/audit/records/${uuid()}/receipt`)).status, 404);
      assert.equal((await get(`/audit/records/${row.id}/receipt`, {}, null)).status, 401);
      assert.equal((await get(`/audit/records/${row.id}/receipt`, {}, 'stranger')).status, 404);
      assert.equal((await get(`/audit/records/${row.id}/receipt`, {}, 'consumer')).status, 200);
    });
    const uuid = (): string => '01890000-0000-7000-8000-000000000000';

    it('serves tiles and entries whose hashes are those of the checkpoint', async () => {
      const full = await get('/audit/log/tile/0/000', {}, 'consumer');
      assert.deepEqual([full.status, full.headers.get('content-type')], [200, 'application/octet-stream']);
      assert.match(full.headers.get('cache-control') ?? '', /immutable/);
      const hashes = Buffer.from(await full.arrayBuffer());
      assert.equal(hashes.length, 256 * HASH_BYTES);
      const entries = Buffer.from(await (await get('/audit/log/tile/entries/000')).arrayBuffer());
      let at = 0;
      for (let i = 0; i < 256; i++) {
        const length = entries.readUInt16BE(at);
        const leaf = entries.subarray(at + 2, at + 2 + length).toString('utf8');
        assert.ok(leafHash(leaf).equals(hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)));
        at += 2 + length;
      }
      assert.equal(at, entries.length);
      const partial = Buffer.from(await (await get('/audit/log/tile/0/000.p/5')).arrayBuffer());
      assert.ok(partial.equals(hashes.subarray(0, 5 * HASH_BYTES)));
      assert.equal(
        Buffer.from(await (await get('/audit/log/tile/1/000.p/1')).arrayBuffer()).length,
        HASH_BYTES,
      );
      assert.equal((await get('/audit/log/tile/entries/001.p/2')).status, 200);
      assert.equal((await get('/audit/log/tile/entries/000', {}, 'consumer')).status, 403);
    });

    for (const [path, status] of [
      ['/audit/log/tile/0/001', 404],
      ['/audit/log/tile/0/x001/x234/067', 404],
      ['/audit/log/tile/1/000', 404],
      ['/audit/log/tile/63/000.p/1', 404],
      ['/audit/log/tile/0/x000/000', 404],
      ['/audit/log/tile/0/000.p/256', 404],
      ['/audit/log/tile/0/0', 400],
      ['/audit/log/tile/64/000', 400],
      ['/audit/log/proof/inclusion?index=99999999', 400],
      ['/audit/log/proof/inclusion?index=0&size=99999999', 400],
      ['/audit/log/proof/consistency?from=9&to=8', 400],
    ] as const)
      it(`refuses ${path}`, async () => assert.equal((await get(path)).status, status));

    it('need not be sent again to who has it', async () => {
      const first = await get('/audit/log/tile/0/000.p/7');
      const etag = first.headers.get('etag') ?? '';
      const again = await get('/audit/log/tile/0/000.p/7', { headers: { 'if-none-match': etag } });
      assert.deepEqual([again.status, await again.text()], [304, '']);
      const head = await get('/audit/log/checkpoint');
      assert.match(head.headers.get('cache-control') ?? '', /no-cache/);
    });

    it('answers with proofs that hold', async () => {
      const one = (await (await get('/audit/log/proof/inclusion?index=3&size=100')).json()) as any;
      assert.ok(verifyInclusion(b64(one.leafHash), 3, 100, one.proof.map(b64), b64(one.root)));
      const two = (await (await get('/audit/log/proof/consistency?from=100')).json()) as any;
      assert.equal(two.fromRoot, one.root);
      assert.ok(verifyConsistency(100, two.to, two.proof.map(b64), b64(two.fromRoot), b64(two.toRoot)));
    });
  });
}
