import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ArchiveFault } from '../../gateway/audit/archive/archive-fault.js';
import { ENTRY_BYTES } from '../../gateway/audit/archive/read-files.js';
import { formatSegment, parseSegment, type Segment } from '../../gateway/audit/archive/segment.js';
import { verifySegment } from '../../gateway/audit/archive/verify-segment.js';
import { parseVerifierKey } from '../../gateway/audit/checkpoint.js';
import { leafHash } from '../../gateway/audit/tree.js';
import { embedded } from '../kit/databases.js';
import { ArchivedLog } from './archive-log.js';
import { tamper, verifierKeys } from './log.js';

const keys = verifierKeys.map(parseVerifierKey);

type Writable<T> = T extends object ? { -readonly [K in keyof T]: Writable<T[K]> } : T;

/** A segment in the hands of somebody who knows its format, and keeps every digest in step with what they change. */
class Forger {
  readonly #folder: string;
  readonly #descriptor: string;
  readonly segment: Writable<Segment>;

  constructor(folder: string) {
    this.#folder = folder;
    this.#descriptor = join(folder, readdirSync(folder).find((name) => name.endsWith('.json')) ?? '');
    this.segment = parseSegment(readFileSync(this.#descriptor, 'utf8')) as Writable<Segment>;
  }

  get descriptor(): string {
    return this.#descriptor;
  }

  /** The file of a class, whose lines are written anew as `change` has them. */
  lines(wanted: string, change: (lines: string[]) => string[]): void {
    const file = this.segment.files.find((one) => one.class === wanted);
    assert.ok(file !== undefined);
    const path = join(this.#folder, file.name);
    const before = readFileSync(path);
    const blocks = file.blocks.map((block) => {
      const lines = gunzipSync(before.subarray(block.offset, block.offset + block.bytes)).toString('utf8');
      return { block, lines: lines.split('\n').slice(0, -1) };
    });
    const last = blocks.at(-1);
    assert.ok(last !== undefined);
    last.lines = change(last.lines);
    let offset = 0;
    const packed = blocks.map(({ block, lines }) => {
      const bytes = gzipSync(lines.map((line) => `${line}\n`).join(''));
      const indexes = lines.map((line) => (JSON.parse(line) as { index: number }).index);
      Object.assign(block, { offset, bytes: bytes.length, records: lines.length });
      Object.assign(block, { first: indexes[0], last: indexes.at(-1) });
      offset += bytes.length;
      return bytes;
    });
    file.records = blocks.reduce((sum, { lines }) => sum + lines.length, 0);
    this.#write(file, Buffer.concat(packed));
  }

  leaves(change: (entries: Buffer) => void): void {
    const entries = readFileSync(join(this.#folder, this.segment.leaves.name));
    change(entries);
    this.#write(this.segment.leaves, entries);
  }

  /** @returns the digest of the descriptor */
  close(): string {
    const text = formatSegment(this.segment);
    writeFileSync(this.#descriptor, text);
    return hash('sha256', text, 'hex');
  }

  #write(file: { name: string; bytes: number; sha256: string }, bytes: Buffer): void {
    writeFileSync(join(this.#folder, file.name), bytes);
    Object.assign(file, { bytes: bytes.length, sha256: hash('sha256', bytes, 'hex') });
  }
}

interface Forgery {
  readonly name: string;
  readonly how: (forger: Forger) => void;
  readonly fault: RegExp;
}

const FORGERIES: readonly Forgery[] = [
  {
    name: 'a record changed, with its leaf',
    how(forger) {
      let [index, leaf] = [0, ''];
      forger.lines('calls', (lines) => {
        const changed = (lines.at(-1) ?? '').replace('"outcome":"answered"', '"outcome":"refused"');
        index = (JSON.parse(changed) as { index: number }).index;
        leaf = changed.slice(`{"index":${index},"record":`.length, -1);
        return [...lines.slice(0, -1), changed];
      });
      forger.leaves((entries) => void leafHash(leaf).copy(entries, index * ENTRY_BYTES + 1));
    },
    fault: /leaves and their proof are not those of the tree/,
  },
  {
    name: 'a record changed, and its leaf left',
    how(forger) {
      forger.lines('calls', (lines) =>
        lines.map((line) => line.replace('"outcome":"answered"', '"outcome":"refused"')),
      );
    },
    fault: /holds another record \d+ than was sealed/,
  },
  {
    name: 'the last record of a class left out',
    how(forger) {
      forger.lines('acts', (lines) => lines.slice(0, -1));
    },
    fault: /leaves out record \d+/,
  },
  {
    name: 'a class that the descriptor does not name any more',
    how({ segment }) {
      segment.files = segment.files.filter((file) => file.class !== 'acts');
    },
    fault: /no file holds the class of record \d+/,
  },
  {
    name: 'a digest that is of no file',
    how({ segment }) {
      for (const file of segment.files) file.sha256 = '0'.repeat(64);
    },
    fault: /is not the file that was sealed/,
  },
];

describe('a sealed segment forged by somebody who knows its format', function () {
  this.timeout(60_000);
  let log: ArchivedLog;
  let kept: string;

  before(async () => {
    log = await ArchivedLog.open(embedded);
    await log.round();
    kept = mkdtempSync(join(tmpdir(), 'lgsp-kept-'));
    for (const name of readdirSync(log.folder)) copyFileSync(join(log.folder, name), join(kept, name));
  });
  after(async () => {
    await log.close();
    rmSync(kept, { recursive: true, force: true });
  });
  beforeEach(() => {
    for (const name of readdirSync(kept)) copyFileSync(join(kept, name), join(log.folder, name));
  });

  it('holds while nothing is changed, however it is packed', async () => {
    const forger = new Forger(log.folder);
    forger.lines('calls', (lines) => lines);
    forger.close();
    const { files } = await verifySegment({ descriptor: forger.descriptor, trusted: keys });
    assert.deepEqual(new Set(files.map(({ verdict }) => verdict)), new Set(['records']));
  });

  for (const { name, how, fault } of FORGERIES)
    it(`${name}: is told offline, and beside the database`, async () => {
      const forger = new Forger(log.folder);
      how(forger);
      forger.close();
      await assert.rejects(
        verifySegment({ descriptor: forger.descriptor, trusted: keys }),
        (error: unknown) => error instanceof ArchiveFault && fault.test(error.message),
      );
      assert.equal((await log.verify()).fault?.what, 'archive');
    });

  it('is told by the log itself where the database was changed with it', async () => {
    const forger = new Forger(log.folder);
    forger.segment.sealed = '2001-02-03T04:05:06Z';
    const sha256 = forger.close();
    const { knex } = log.test.database;
    const rows = await knex('log_segments');
    await tamper(log.test.database, async () => {
      await knex.raw('DROP TRIGGER IF EXISTS log_segments_no_update');
      await knex('log_segments').update({ sha256 });
    });
    const { fault } = await log.verify();
    assert.equal(fault?.what, 'archive');
    assert.match(fault.detail, /no record says that .* was sealed as it is/);
    for (const { from_seq, sha256: before } of rows)
      await knex('log_segments').where({ from_seq }).update({ sha256: before });
  });

  it('is told where the database says other things of it than its descriptor', async () => {
    const { knex } = log.test.database;
    const [{ records }] = await knex('log_segment_files').where({ class: 'calls' });
    await tamper(log.test.database, () =>
      knex('log_segment_files')
        .where({ class: 'calls' })
        .update({ records: records - 1 }),
    );
    const { fault } = await log.verify();
    assert.equal(fault?.what, 'archive');
    assert.match(fault.detail, /the database says other things/);
    await knex('log_segment_files').where({ class: 'calls' }).update({ records });
    assert.equal((await log.verify()).ok, true);
  });
});
