import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifierKeyText } from '../../gateway/audit/checkpoint.js';
import type { PublishedKeys } from '../../gateway/audit/published-keys.js';
import { startRecorder } from '../../gateway/audit/recorder.js';
import { systemClock } from '../../gateway/base/clock.js';
import { uuidv7 } from '../../gateway/base/ids.js';
import { createLog } from '../../gateway/base/log.js';
import { runCommand } from '../../gateway/cli/program.js';
import { findInstallationValue } from '../../gateway/store/installation.js';
import { aRecord, T0 } from '../audit/records.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addSystem, secretOf } from '../kit/province.js';
import { unzip, zip } from '../kit/zip.js';

const COUNT = 700;
const PROGRAM = 'test/audit/independent-verifier.py';
const found = (program: string, argument: string): boolean => spawnSync(program, [argument]).status === 0;

async function fill({ gateway }: TestGateway): Promise<void> {
  const { database, keyRing } = gateway;
  const { kid, privateKey } = keyRing.logSigner();
  const recorder = await startRecorder({
    engine: database.engine,
    location: database.location,
    origin: (await findInstallationValue(database.knex, 'log-origin')) ?? '',
    logKey: { kid, privateKey },
    queue: 20_000,
    timeoutMs: 60_000,
    log: createLog('silent'),
    clock: systemClock,
  });
  for (let i = 0; i < COUNT; i += 1)
    void recorder.write(
      aRecord({
        id: uuidv7(T0 + i),
        // Not in the order of the log.
        received: new Date(T0 + (i % 7) * 3_600_000 + i * 1000).toISOString(),
        agency: i % 97 === 0 ? 'H35.61' : 'H35.62',
        provider: i % 5 === 0 ? 'H35.9' : 'H35.8',
        user: 'Lò Thị Mai',
        case: `HS-${i}`,
        trace: (i >= 240 && i < 280 ? 'a' : i >= 640 ? 'b' : 'c').repeat(32),
      }),
    );
  await recorder.close();
}

type Files = Map<string, Buffer>;
interface Line {
  index: number;
  leaf: string;
}

const linesOf = (files: Files, name: string): any[] =>
  files
    .get(name)!
    .toString('utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
const recordsOf = (files: Files): Line[] => linesOf(files, 'records.jsonl');
const put = (files: Files, name: string, lines: readonly unknown[]): void =>
  void files.set(name, Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join('')));

/** As one who owns the bundle would: the manifest names what is there now. */
function listed(files: Files, change: Record<string, unknown> = {}): Files {
  const manifest = JSON.parse(files.get('manifest.json')!.toString('utf8'));
  for (const [name, bytes] of files)
    if (name !== 'manifest.json')
      manifest.files[name] = {
        bytes: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      };
  return files.set('manifest.json', Buffer.from(JSON.stringify({ ...manifest, ...change })));
}

function flipped(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  const at = Math.floor(changed.length / 2);
  changed[at] = changed[at]! ^ 1;
  return changed;
}

const SELECTIONS: readonly (readonly [name: string, query: string, count: number])[] = [
  ['none', 'agency=H35.404', 0],
  ['one', 'case=HS-123', 1],
  ['scattered', 'agency=H35.61', Math.ceil(COUNT / 97)],
  ['across the border of two tiles', `trace=${'a'.repeat(32)}`, 40],
  ['within the last tile, which is not full', `trace=${'b'.repeat(32)}`, COUNT - 640],
  ['all of some days', `from=${new Date(T0).toISOString()}&to=2026-02-01T00:00:00Z`, COUNT],
];

for (const engine of engines) {
  describe(`evidence bundles on ${engine.name}`, function () {
    this.timeout(120_000);
    let test: TestDatabase;
    let folder: string;
    let keys: PublishedKeys;
    let refused: { operator: Response; head: Response };
    let act: any;
    const bundles = new Map<string, Buffer>();

    const verify = async (
      bytes: Buffer,
      key = keys.keys[0]!,
    ): Promise<{ code: number; out: any; err: string }> => {
      const file = join(folder, 'x.lgsp-evidence.zip');
      writeFileSync(file, bytes);
      const said = { out: '', err: '' };
      const code = await runCommand(['audit', 'verify', '--bundle', file, '--key', key, '--json'], {
        env: {},
        out: (text) => void (said.out += text),
        err: (text) => void (said.err += text),
      });
      return { code, out: said.out === '' ? null : JSON.parse(said.out), err: said.err };
    };
    const changed = async (
      change: (files: Files) => Files | undefined,
      of = 'scattered',
    ): Promise<Buffer> => {
      const files = await unzip(bundles.get(of)!);
      return await zip(change(files) ?? files);
    };

    before(async () => {
      test = await engine.create();
      folder = mkdtempSync(join(tmpdir(), 'lgsp-evidence-'));
      const seen = join(test.dataDir, 'ben-ngoai');
      mkdirSync(seen);
      for (const agency of ['H35.1', 'H35.9', 'H35.61']) await addAgency(test.database, agency);
      await addSystem(test.database, 'kiem-tra', 'H35.1', { roles: ['auditor'] });
      await addSystem(test.database, 'van-hanh', 'H35.1', { roles: ['operator'] });
      await addSystem(test.database, 'cung-cap', 'H35.9', { roles: ['provider'] });
      const gateway = await startTestGateway(test, {
        record: { exportRows: COUNT },
        witnesses: { everySeconds: 1, to: [{ kind: 'folder', name: 'o-dia', path: seen }] },
      });
      const take = (client: string, query: string): Promise<Response> =>
        gateway.call(client, `/api/audit/records/export?format=bundle&${query}`);
      const bytes = async (answer: Response): Promise<Buffer> => Buffer.from(await answer.arrayBuffer());
      await fill(gateway);
      await eventually(
        async () =>
          (await test.database.knex('witness_evidence').where('size', '>=', COUNT).first()) as unknown,
        'a witness saw the log',
      );
      for (const [name, query] of SELECTIONS) bundles.set(name, await bytes(await take('kiem-tra', query)));
      bundles.set('of a provider', await bytes(await take('cung-cap', SELECTIONS.at(-1)![1])));
      refused = { operator: await take('van-hanh', 'case=HS-1'), head: await take('kiem-tra', 'case=HS-1') };
      bundles.set('later', await bytes(refused.head));
      keys = (await (await gateway.call('kiem-tra', '/api/audit/log/keys')).json()) as PublishedKeys;
      act = await eventually(
        async () =>
          (await allRecords(test.database)).find(({ id }) => id === refused.head.headers.get('lgsp-record')),
        'the record of an export',
      );
      const out = join(folder, 'cli.zip');
      const code = await runCommand(
        ['audit', 'export', '--url', gateway.url, '--client', 'kiem-tra', '--format', 'bundle'].concat([
          ...['--filter', 'case=HS-123', '--out', out],
        ]),
        { env: { LGSP_CLIENT_SECRET: secretOf('kiem-tra') }, out: () => undefined, err: () => undefined },
      );
      assert.equal(code, 0);
      // What follows is offline.
      await gateway.close();
      await test.drop();
    });
    after(() => rmSync(folder, { recursive: true }));

    for (const [name, , count] of SELECTIONS)
      it(`hold for a selection: ${name}`, async () => {
        const { code, out, err } = await verify(bundles.get(name)!);
        assert.deepEqual([code, err, out.ok, out.records], [0, '', true, count]);
        assert.equal(out.origin, keys.origin);
        assert.deepEqual(
          out.witnesses.map((one: any) => one.name),
          ['o-dia'],
        );
      });

    it('are one file of a known form, recorded with how many records and of what digest', () => {
      const { headers } = refused.head;
      assert.equal(headers.get('content-type'), 'application/zip');
      assert.match(
        headers.get('content-disposition') ?? '',
        /filename="nhat-ky-\d+T\d+Z\.lgsp-evidence\.zip"/,
      );
      const digest = createHash('sha256').update(bundles.get('later')!).digest('base64url');
      assert.deepEqual([act.responseSha256, act.target.after.count], [digest, 1]);
      assert.equal(act.target.after.format, 'bundle');
    });

    it('say in Vietnamese what they are', async () => {
      const text = (await unzip(bundles.get('scattered')!)).get('TOM-TAT.txt')!.toString('utf8');
      for (const part of [
        'Người trích xuất: kiem-tra',
        'agency = H35.61',
        'Số bản ghi: 8',
        'toàn bộ nhật ký',
        '  H35.61: 8',
        '  don-vi-hanh-chinh: 8',
        '  đã trả lời: 8',
        `Nhật ký: ${keys.origin}`,
        'lgsp audit verify --bundle',
      ])
        assert.ok(text.includes(part), part);
    });

    it('hold what their maker may see, and nothing else', async () => {
      const bytes = bundles.get('of a provider')!;
      assert.equal((await verify(bytes)).out.records, COUNT / 5);
      const providers = recordsOf(await unzip(bytes)).map(({ leaf }) => JSON.parse(leaf).provider);
      assert.deepEqual([...new Set(providers)], ['H35.9']);
      assert.equal(refused.operator.status, 403);
      assert.equal(((await refused.operator.json()) as any).code, 'role_required');
    });

    it('name the record that was changed, whatever its bundle says of it', async () => {
      const records = recordsOf(await unzip(bundles.get('all of some days')!));
      for (const at of [0, 1, 255, 256, 300, COUNT - 1]) {
        const bytes = await changed((files) => {
          const lines = recordsOf(files);
          lines[at]!.leaf = lines[at]!.leaf.replace('Lò Thị Mai', 'Lò Thị Máy');
          put(files, 'records.jsonl', lines);
          return listed(files);
        }, 'all of some days');
        const { code, out } = await verify(bytes);
        assert.deepEqual([code, out.fault, out.index], [1, 'record', records[at]!.index]);
      }
    });

    const edit =
      (name: string, change: (lines: any[], files: Files) => unknown) =>
      (files: Files): undefined => {
        const lines = linesOf(files, name);
        change(lines, files);
        put(files, name, lines);
      };
    const swapLeaves = (lines: Line[]): void => {
      [lines[2]!.leaf, lines[3]!.leaf] = [lines[3]!.leaf, lines[2]!.leaf];
    };
    const tampering: readonly (readonly [
      what: string,
      fault: string,
      change: (files: Files) => Files | undefined,
      nth?: number,
    ])[] = [
      ...['TOM-TAT.txt', 'keys.json'].map(
        (name) =>
          [`a byte of ${name}`, 'digest', (f: Files) => void f.set(name, flipped(f.get(name)!))] as const,
      ),
      [
        'a byte of a witness',
        'digest',
        (f) => void f.set('witnesses/o-dia.json', flipped(f.get('witnesses/o-dia.json')!)),
      ],
      ['a byte of the checkpoint', 'digest', (f) => void f.set('checkpoint', flipped(f.get('checkpoint')!))],
      [
        'a byte of the checkpoint, listed',
        'signature',
        (f) => {
          f.set('checkpoint', flipped(f.get('checkpoint')!));
          return listed(f);
        },
      ],
      [
        'white space in the records',
        'digest',
        (f) =>
          void f.set('records.jsonl', Buffer.from(f.get('records.jsonl')!.toString().replace('{', '{ '))),
      ],
      [
        'white space in the proof',
        'digest',
        (f) => void f.set('proof.jsonl', Buffer.from(f.get('proof.jsonl')!.toString().replace('[', '[ '))),
      ],
      ['a record less', 'count', edit('records.jsonl', (l) => l.splice(3, 1))],
      ['a record twice', 'order', edit('records.jsonl', (l) => l.splice(3, 0, l[3])), 3],
      ['two records exchanged', 'order', edit('records.jsonl', (l) => l.splice(2, 2, l[3], l[2])), 2],
      ['two leaves exchanged', 'record', edit('records.jsonl', swapLeaves), 2],
      [
        'a record less, listed',
        'proof',
        (f) => {
          edit('records.jsonl', (l) => l.splice(3, 1))(f);
          return listed(f, { records: 7 });
        },
        4,
      ],
      [
        'a record more, listed',
        'proof',
        (f) => {
          edit('records.jsonl', (l) => l.splice(3, 0, { ...l[3], index: l[3].index - 1 }))(f);
          return listed(f, { records: 9 });
        },
      ],
      [
        'a record past the tree',
        'record',
        (f) => {
          edit('records.jsonl', (l) => l.push({ ...l[7], index: 9_000_000 }))(f);
          return listed(f, { records: 9 });
        },
      ],
      [
        'a hash of the proof',
        'record',
        (f) => {
          edit('proof.jsonl', (l) => (l.at(-1)[2] = l[0][2]))(f);
          return listed(f);
        },
        7,
      ],
      [
        'a hash less',
        'proof',
        (f) => {
          edit('proof.jsonl', (l) => l.pop())(f);
          return listed(f);
        },
        7,
      ],
      [
        'a hash more',
        'proof',
        (f) => {
          edit('proof.jsonl', (l) => l.push(l[0]))(f);
          return listed(f);
        },
      ],
      [
        'a surrogate in place of a letter',
        'malformed',
        (f) => {
          f.set('records.jsonl', Buffer.from(f.get('records.jsonl')!.toString().replace('Mai', '\\ud800')));
          return listed(f);
        },
      ],
      ['another count', 'count', (f) => listed(f, { records: 9 })],
      ['another version', 'malformed', (f) => listed(f, { version: 2 })],
      ['a word more in the manifest', 'malformed', (f) => listed(f, { note: '' })],
      ['a file less', 'malformed', (f) => void f.delete('keys.json')],
      ['a file more', 'malformed', (f) => listed(f.set('doc-them.txt', Buffer.from('x')))],
      [
        'a witness that is not listed',
        'malformed',
        (f) => void f.set('witnesses/x.json', f.get('witnesses/o-dia.json')!),
      ],
      [
        'a witness under another name',
        'witness',
        (f) => listed(f.set('witnesses/x.json', f.get('witnesses/o-dia.json')!)),
      ],
      [
        'a line without an end',
        'malformed',
        (f) => void f.set('records.jsonl', f.get('records.jsonl')!.subarray(0, -1)),
      ],
      [
        'a line that is too long',
        'malformed',
        (f) => void f.set('records.jsonl', Buffer.alloc(4_000_000, 'x')),
      ],
      [
        'a checkpoint that is too long',
        'malformed',
        (f) => void f.set('checkpoint', Buffer.alloc(100_000, 'x')),
      ],
    ];
    for (const [what, fault, change, nth] of tampering)
      it(`do not hold with ${what}: ${fault}`, async () => {
        const { code, out } = await verify(await changed(change));
        assert.deepEqual([code, out.ok, out.fault], [1, false, fault], out.detail);
        const records = recordsOf(await unzip(bundles.get('scattered')!));
        if (nth !== undefined) assert.equal(out.index, records[nth]!.index);
      });

    it('do not hold with the checkpoint of another size', async () => {
      const other = (await unzip(bundles.get('later')!)).get('checkpoint')!;
      const size = Number(other.toString().split('\n')[1]);
      const { out } = await verify(
        await changed((files) => listed(files.set('checkpoint', other), { size })),
      );
      assert.equal(out.fault, 'proof');
    });

    it('do not hold by another key, nor by the keys that they bring themselves', async () => {
      const stranger = verifierKeyText(keys.origin, generateKeyPairSync('ed25519').publicKey);
      assert.equal((await verify(bundles.get('one')!, stranger)).out.fault, 'signature');
      assert.equal((await verify(bundles.get('one')!, 'nonsense')).code, 2);
    });

    it('are refused when they are cut off, or would unpack elsewhere or twice', async () => {
      const bytes = bundles.get('one')!;
      const renamed = (from: string, to: string): Buffer =>
        Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1');
      for (const bad of [
        bytes.subarray(0, -1),
        bytes.subarray(0, bytes.length / 2),
        Buffer.alloc(0),
        Buffer.from('no archive'),
        renamed('TOM-TAT.txt', '../-TAT.txt'),
        renamed('TOM-TAT.txt', '/OM-TAT.txt'),
        renamed('TOM-TAT.txt', 'a\\M-TAT.txt'),
        renamed('proof.jsonl', 'TOM-TAT.txt'),
      ])
        assert.deepEqual([(await verify(bad)).code, (await verify(bad)).out.fault], [1, 'malformed']);
    });

    it('hold by a program that follows the documentation and has none of our code, and no longer when changed', async function () {
      if (!found('python3', '--version') || !found('openssl', 'version')) return this.skip();
      const run = (bytes: Buffer): number | null => {
        const file = join(folder, 'python.lgsp-evidence.zip');
        writeFileSync(file, bytes);
        return spawnSync('python3', [PROGRAM, file, keys.keys[0]!]).status;
      };
      for (const [name, bytes] of bundles) assert.equal(run(bytes), 0, name);
      for (const [what, , change] of tampering)
        if (!/manifest|word|witness|too long/.test(what)) assert.equal(run(await changed(change)), 1, what);
    });
  });
}
