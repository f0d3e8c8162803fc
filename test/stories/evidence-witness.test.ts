import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publishedKeys } from '../../gateway/audit/published-keys.js';
import { latestCheckpoint } from '../../gateway/audit/search.js';
import { runCommand } from '../../gateway/cli/program.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { type LogWitness, startLogWitness } from '../kit/log-witness.js';
import { addAgency, addSystem } from '../kit/province.js';
import { startTimeStampAuthority, type TimeStampAuthority } from '../kit/time-stamp-authority.js';
import { unzip, zip } from '../kit/zip.js';

const PROGRAM = 'test/audit/independent-verifier.py';
const found = (program: string, argument: string): boolean => spawnSync(program, [argument]).status === 0;

interface Witnessed {
  readonly name: string;
  readonly size: number;
  readonly witnessedAt: string | null;
}

/** A vkey of another witness of the same name. */
function strangerOf(name: string): string {
  const { publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const typed = Buffer.concat([Buffer.from([4]), raw]);
  const id = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typed]), 'buffer').subarray(0, 4);
  return `${name}+${id.toString('hex')}+${typed.toString('base64')}`;
}

for (const engine of engines) {
  describe(`evidence bundles over a hand-over of the key, with witnesses, on ${engine.name}`, function () {
    this.timeout(120_000);
    let test: TestDatabase;
    let folder: string;
    let authority: TimeStampAuthority;
    let stranger: TimeStampAuthority;
    let witness: LogWitness;
    let known: readonly string[] = [];
    let key = '';
    let later = '';
    let handedAt = 0;
    let bundle: Buffer;
    /** What the authority and the witness gave for an earlier head. */
    const earlier = new Map<string, string>();

    const settings = () => ({
      witnesses: {
        everySeconds: 1,
        to: [
          { kind: 'folder', name: 'thu-muc', path: folder },
          { kind: 'http', name: 'nhan-chung', url: witness.url, verifierKey: witness.verifierKey },
          { kind: 'tsa', name: 'dau-thoi-gian', url: authority.url, caFile: authority.caFile },
        ],
      },
    });

    /** Until both have seen all that is in the log now. */
    async function allSeen(): Promise<void> {
      const { size } = (await latestCheckpoint(test.database)) ?? assert.fail('no head');
      await eventually(async () => {
        const rows = await test.database.knex('witness_evidence').where('size', '>=', size).select('name');
        return new Set(rows.map(({ name }: { name: string }) => name)).size === 3 ? true : undefined;
      }, 'the witnesses saw it');
    }

    async function handOver(gateway: TestGateway): Promise<void> {
      await gateway.gateway.keyRing.rotate('log');
      handedAt = await eventually(async () => {
        const row = await test.database.knex('records').where({ noun: 'log-key' }).first('seq');
        return (row as { seq: number } | undefined)?.seq;
      }, 'the log is handed over');
    }

    before(async () => {
      test = await engine.create();
      folder = mkdtempSync(join(tmpdir(), 'lgsp-evidence-'));
      [authority, stranger] = await Promise.all([startTimeStampAuthority(), startTimeStampAuthority()]);
      witness = await startLogWitness(() => known);
      await addAgency(test.database, 'H35.1');
      await addSystem(test.database, 'kiem-tra', 'H35.1', { roles: ['auditor'] });
      const gateway = await startTestGateway(test, settings());
      known = (await publishedKeys(test.database))?.keys ?? [];
      key = known[0] ?? '';
      const call = () => gateway.call('kiem-tra', '/api/me');
      for (let n = 0; n < 5; n += 1) await call();
      await allSeen();
      for (const { name, content } of await test.database.knex('witness_evidence').orderBy('size', 'desc'))
        earlier.set(name as string, content as string);
      await handOver(gateway);
      known = (await publishedKeys(test.database))?.keys ?? [];
      later = known.at(-1) ?? '';
      for (let n = 0; n < 5; n += 1) await call();
      await allSeen();
      const answer = await gateway.call('kiem-tra', '/api/audit/records/export?format=bundle');
      bundle = Buffer.from(await answer.arrayBuffer());
      // What follows is offline.
      await gateway.close();
      await Promise.all([witness.close(), test.drop()]);
    });
    after(async () => {
      await Promise.all([authority.close(), stranger.close()]);
      rmSync(folder, { recursive: true });
    });

    const verify = async (
      bytes: Buffer,
      witnesses: readonly string[] = [],
      trusted = key,
    ): Promise<{ code: number; out: any; err: string }> => {
      const file = join(folder, 'x.lgsp-evidence.zip');
      writeFileSync(file, bytes);
      const said = { out: '', err: '' };
      const words = ['audit', 'verify', '--bundle', file, '--key', trusted, '--json'];
      const code = await runCommand([...words, ...witnesses.flatMap((one) => ['--witness', one])], {
        env: {},
        out: (text) => void (said.out += text),
        err: (text) => void (said.err += text),
      });
      return { code, out: said.out === '' ? null : JSON.parse(said.out), err: said.err };
    };
    const python = (bytes: Buffer, witnesses: readonly string[] = [], trusted = key): number | null => {
      const file = join(folder, 'python.lgsp-evidence.zip');
      writeFileSync(file, bytes);
      return spawnSync('python3', [PROGRAM, file, trusted, ...witnesses]).status;
    };
    const cosigner = () => `nhan-chung=${witness.verifierKey}`;
    const stamper = (of: TimeStampAuthority) => `dau-thoi-gian=${of.caFile}`;

    /** The bundle with other evidence of one witness, which its manifest names. */
    async function withEvidence(name: string, evidence: string): Promise<Buffer> {
      const files = await unzip(bundle);
      const file = `witnesses/${name}.json`;
      const bytes = Buffer.from(JSON.stringify({ ...JSON.parse(files.get(file)!.toString()), evidence }));
      files.set(file, bytes);
      const manifest = JSON.parse(files.get('manifest.json')!.toString());
      manifest.files[file] = {
        bytes: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      };
      return await zip(files.set('manifest.json', Buffer.from(JSON.stringify(manifest))));
    }

    it('hold by the first key alone, on both sides of the hand-over', async () => {
      const { code, out, err } = await verify(bundle);
      assert.deepEqual([code, err, out.ok], [0, '', true]);
      const lines = (await unzip(bundle)).get('records.jsonl')!.toString().split('\n').slice(0, -1);
      const places = lines.map((line) => (JSON.parse(line) as { index: number }).index);
      assert.ok(places[0]! < handedAt && places.includes(handedAt) && places.at(-1)! > handedAt);
      assert.notEqual(key, later);
      assert.ok(
        out.witnesses.every(({ witnessedAt }: Witnessed) => witnessedAt === null),
        'unasked',
      );
    });

    it('do not hold by the first key without the hand-over', async () => {
      const files = await unzip(bundle);
      const bytes = Buffer.from(
        JSON.stringify({ ...JSON.parse(files.get('keys.json')!.toString()), handOvers: [] }),
      );
      const manifest = JSON.parse(files.get('manifest.json')!.toString());
      manifest.files['keys.json'] = { bytes: bytes.length, sha256: hash('sha256', bytes, 'hex') };
      files.set('keys.json', bytes).set('manifest.json', Buffer.from(JSON.stringify(manifest)));
      assert.equal((await verify(await zip(files))).out.fault, 'signature');
    });

    it('prove what witnesses gave, by their own keys', async () => {
      const { code, out, err } = await verify(bundle, [cosigner(), stamper(authority)]);
      assert.deepEqual([code, err], [0, '']);
      const at = new Map(
        (out.witnesses as Witnessed[]).map(({ name, witnessedAt }) => [name, witnessedAt] as const),
      );
      assert.equal(at.get('nhan-chung'), new Date(1_790_000_000_000).toISOString());
      assert.ok(Math.abs(Date.parse(at.get('dau-thoi-gian') ?? '') - Date.now()) < 600_000);
      assert.equal(at.get('thu-muc'), null);
    });

    it('name what is wrong with it', async () => {
      const cases: readonly (readonly [what: string, bytes: Buffer, witnesses: string[], why: RegExp])[] = [
        ['another cosigner', bundle, [`nhan-chung=${strangerOf('witness.test/w1')}`], /by the key/],
        ['another authority', bundle, [stamper(stranger)], /time stamp .* does not hold/],
        ['a cosigner for a stamp', bundle, [`dau-thoi-gian=${witness.verifierKey}`], /no cosignature/],
        ['roots for a cosignature', bundle, [`nhan-chung=${authority.caFile}`], /no time-stamp token/],
        ['a folder, which signs nothing', bundle, [`thu-muc=${witness.verifierKey}`], /by the key/],
        ['one that is not there', bundle, [`khong-co=${witness.verifierKey}`], /nothing of the witness/],
        [
          'a cosignature over another head',
          await withEvidence('nhan-chung', earlier.get('nhan-chung')!),
          [cosigner()],
          /over its head/,
        ],
        [
          'a token over another head',
          await withEvidence('dau-thoi-gian', earlier.get('dau-thoi-gian')!),
          [stamper(authority)],
          /over other data/,
        ],
        ['no token', await withEvidence('dau-thoi-gian', 'AAAA'), [stamper(authority)], /does not hold/],
      ];
      for (const [what, bytes, witnesses, why] of cases) {
        const { code, out } = await verify(bytes, witnesses);
        assert.deepEqual([code, out.fault], [1, 'evidence'], what);
        assert.match(out.detail, why, what);
      }
    });

    it('refuse a flag that cannot be used', async () => {
      for (const flag of ['nhan-chung', 'nhan-chung=', 'nhan-chung=khong-co.pem', 'nhan-chung=package.json'])
        assert.equal((await verify(bundle, [flag])).code, 2, flag);
      const io = { env: {}, out: () => undefined, err: () => undefined };
      assert.equal(await runCommand(['audit', 'verify', '--witness', cosigner()], io), 2);
    });

    it('hold, or not, by the other program too', async function () {
      if (!found('python3', '--version') || !found('openssl', 'version')) return this.skip();
      assert.equal(python(bundle, [cosigner(), stamper(authority)]), 0);
      assert.equal(python(bundle, [`nhan-chung=${strangerOf('witness.test/w1')}`]), 1);
      assert.equal(python(bundle, [stamper(stranger)]), 1);
      assert.equal(python(await withEvidence('nhan-chung', earlier.get('nhan-chung')!), [cosigner()]), 1);
      const stale = await withEvidence('dau-thoi-gian', earlier.get('dau-thoi-gian')!);
      assert.equal(python(stale, [stamper(authority)]), 1);
      assert.equal(python(bundle, [], strangerOf('x')), 1);
    });
  });
}
