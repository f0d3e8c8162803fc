import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { ArchiveFault } from '../../gateway/audit/archive/archive-fault.js';
import { readDescriptor } from '../../gateway/audit/archive/read-files.js';
import type { SegmentFile } from '../../gateway/audit/archive/segment.js';
import { verifySegment } from '../../gateway/audit/archive/verify-segment.js';
import { parseVerifierKey } from '../../gateway/audit/checkpoint.js';
import { engines } from '../kit/databases.js';
import { ArchivedLog } from './archive-log.js';
import { tamper, verifierKeys } from './log.js';

const keys = verifierKeys.map(parseVerifierKey);
const RUNS = 8;

/** Which records may be named: from the first to the last of what was changed. */
type Range = readonly [first: number, last: number];

interface Tampering {
  readonly name: string;
  /** @param at anywhere, in bytes @returns the records that may be named */
  how(folder: string, file: SegmentFile, at: number): Range;
}

const spanOf = ({ blocks }: SegmentFile): Range => [blocks[0]?.first ?? 0, blocks.at(-1)?.last ?? 0];

function blockAt({ blocks }: SegmentFile, offset: number): Range {
  const block = blocks.find((one) => offset < one.offset + one.bytes);
  return block === undefined ? [0, 0] : [block.first, block.last];
}

/** A bit of the gzip header may change without changing what is inside: then the first record of the file is named. */
const fromStart = (file: SegmentFile, [, last]: Range): Range => [spanOf(file)[0], last];

const TAMPERINGS: readonly Tampering[] = [
  {
    name: 'a bit of a file of records',
    how: (folder, file, at) => {
      const bytes = readFileSync(join(folder, file.name));
      const offset = at % bytes.length;
      bytes.writeUInt8(bytes.readUInt8(offset) ^ (1 << (at & 7)), offset);
      writeFileSync(join(folder, file.name), bytes);
      return fromStart(file, blockAt(file, offset));
    },
  },
  {
    name: 'a file of records cut off',
    how: (folder, file, at) => {
      const bytes = readFileSync(join(folder, file.name));
      const length = at % bytes.length;
      writeFileSync(join(folder, file.name), bytes.subarray(0, length));
      return blockAt(file, length);
    },
  },
  {
    name: 'a file of records with something behind it',
    how: (folder, file) => {
      writeFileSync(
        join(folder, file.name),
        Buffer.concat([readFileSync(join(folder, file.name)), Buffer.from('x')]),
      );
      return spanOf(file);
    },
  },
  {
    name: 'a file of records removed',
    how: (folder, file) => {
      rmSync(join(folder, file.name));
      return [spanOf(file)[0], spanOf(file)[0]];
    },
  },
  {
    name: 'a file of records that is another one',
    how: (folder, file) => {
      const other =
        readdirSync(folder).find((name) => name.includes('.jsonl.gz') && name !== file.name) ?? '';
      copyFileSync(join(folder, other), join(folder, file.name));
      return spanOf(file);
    },
  },
  {
    name: 'a bit of the leaves',
    how: (folder, file, at) => {
      const name = file.name.replace(/\.[a-z]+\.jsonl\.gz$/, '.leaves');
      const bytes = readFileSync(join(folder, name));
      const offset = at % bytes.length;
      bytes.writeUInt8(bytes.readUInt8(offset) ^ (1 << (at & 7)), offset);
      writeFileSync(join(folder, name), bytes);
      return [0, 0];
    },
  },
  {
    name: 'a character of the descriptor',
    how: (folder, file, at) => {
      const name = file.name.replace(/\.[a-z]+\.jsonl\.gz$/, '.json');
      const text = readFileSync(join(folder, name), 'utf8');
      const digits = [...text.matchAll(/\d/g)].map((found) => found.index);
      const place = digits[at % digits.length] ?? 0;
      const other = String((Number(text[place]) + 1) % 10);
      writeFileSync(join(folder, name), text.slice(0, place) + other + text.slice(place + 1));
      return [0, Number.MAX_SAFE_INTEGER];
    },
  },
];

for (const engine of engines) {
  describe(`sealed segments tampered with anywhere, on ${engine.name}`, function () {
    this.timeout(120_000);
    let log: ArchivedLog;
    let kept: string;
    let files: readonly SegmentFile[];
    let descriptor: string;

    before(async () => {
      log = await ArchivedLog.open(engine, 3500);
      await log.round();
      kept = mkdtempSync(join(tmpdir(), 'lgsp-kept-'));
      for (const name of readdirSync(log.folder)) copyFileSync(join(log.folder, name), join(kept, name));
      const name = readdirSync(log.folder).find((one) => one.endsWith('.json')) ?? '';
      descriptor = join(log.folder, name);
      files = (await readDescriptor(log.folder, name))?.segment.files ?? [];
      assert.equal(files.length, 3);
    });
    after(async () => {
      await log.close();
      rmSync(kept, { recursive: true, force: true });
    });
    const restore = (): void => {
      for (const name of readdirSync(kept)) copyFileSync(join(kept, name), join(log.folder, name));
    };
    afterEach(async () => {
      restore();
      assert.equal((await log.verify()).ok, true);
    });

    for (const { name, how } of TAMPERINGS)
      it(name, async () => {
        await fc.assert(
          fc.asyncProperty(fc.nat(files.length - 1), fc.nat(1 << 24), async (which, at) => {
            restore();
            const [first, last] = how(log.folder, files[which] as SegmentFile, at);
            const { ok, fault } = await log.verify();
            assert.deepEqual([ok, fault?.what], [false, 'archive']);
            const index = fault?.index ?? -1;
            assert.ok(
              index >= first && index <= last,
              `${index} is not in ${first}–${last}: ${fault?.detail ?? ''}`,
            );
            // Offline nobody knows which descriptor was sealed: what it says is held against the signed tree.
            if (name === 'a character of the descriptor') return;
            await assert.rejects(
              verifySegment({ descriptor, trusted: keys }),
              (error: unknown) =>
                error instanceof ArchiveFault && error.index >= first && error.index <= last,
            );
          }),
          { numRuns: RUNS },
        );
      });

    it('a segment taken out of the database together with its rows', async () => {
      const { knex } = log.test.database;
      await knex.raw(
        engine.name === 'SQLite'
          ? 'DROP TRIGGER log_segment_files_no_delete'
          : 'DROP TRIGGER log_segment_files_no_delete ON log_segment_files',
      );
      await knex.raw(
        engine.name === 'SQLite'
          ? 'DROP TRIGGER log_segments_no_delete'
          : 'DROP TRIGGER log_segments_append_only ON log_segments',
      );
      const [rows, fileRows] = [await knex('log_segments'), await knex('log_segment_files')];
      await knex('log_segment_files').delete();
      await knex('log_segments').delete();
      const { fault } = await log.verify();
      assert.deepEqual([fault?.what, fault?.index], ['missing', 0]);
      await knex('log_segments').insert(rows);
      await knex('log_segment_files').insert(fileRows);
    });

    it('a record that is still in the table, changed', async () => {
      assert.equal((await log.verify()).ok, true);
      const [{ seq, agency }] = await log.test.database.knex('records').orderBy('seq').limit(1);
      await tamper(log.test.database, (knex) => knex('records').where({ seq }).update({ agency: 'X' }));
      const { fault } = await log.verify();
      assert.deepEqual([fault?.what, fault?.index], ['columns', seq]);
      await log.test.database.knex('records').where({ seq }).update({ agency });
    });
  });
}
