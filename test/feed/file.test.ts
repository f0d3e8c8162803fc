import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Recorder } from '../../gateway/audit/record.js';
import type { Feed } from '../../gateway/feed/feed.js';
import { startLog } from '../audit/log.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, eventually } from '../kit/gateway.js';
import { complete, feedOf, write } from './node.js';

for (const engine of engines) {
  describe(`the feed to a file, ${engine.name}`, () => {
    let test: TestDatabase;
    let log: Recorder;
    let feed: Feed | null = null;
    let folder: string;
    const files = (): string[] =>
      existsSync(folder)
        ? readdirSync(folder)
            .filter((name) => name.startsWith('soc.jsonl'))
            .sort()
        : [];
    const lines = (): { index: number; id: string }[] =>
      [...files().filter((name) => name !== 'soc.jsonl'), 'soc.jsonl']
        .filter((name) => existsSync(join(folder, name)))
        .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1))
        .map((line) => JSON.parse(line) as { index: number; id: string });
    const all = (count: number) =>
      eventually(
        () =>
          complete(
            lines().map(({ index }) => index),
            count,
          ),
        `${count} lines`,
      );
    const begin = (more: object = {}): Feed =>
      (feed = feedOf(test.database, [
        { kind: 'file', name: 'tep', path: join(folder, 'soc.jsonl'), ...more },
      ]));
    const failed = () =>
      eventually(async () => {
        const row = (await test.database.knex('feed_cursors').first()) as
          | { last_error: string | null }
          | undefined;
        return row?.last_error ?? undefined;
      }, 'it failed');

    beforeEach(async () => {
      test = await engine.create();
      log = await startLog(test.database);
      folder = join(test.dataDir, 'soc');
      mkdirSync(folder);
    });
    afterEach(async () => {
      await feed?.close();
      await log.close();
      await test.drop();
    });

    it('holds every record once, as it was written, for a group to read', async () => {
      await write(log, 60, { user: 'Lò Thị Mẫu' });
      begin();
      await all(60);
      const records = await allRecords(test.database);
      assert.deepEqual(
        lines(),
        records.map((record, index) => ({ index, ...record })),
      );
      assert.equal(statSync(join(folder, 'soc.jsonl')).mode & 0o777, 0o640);
    });

    it('is put aside by size, and so many are kept', async () => {
      begin({ maxBytes: 2048, keep: 3 });
      await write(log, 200);
      await eventually(() => lines().at(-1)?.index === 199 || undefined, 'the last came');
      assert.equal(files().length, 4);
      const kept = lines().map(({ index }) => index);
      assert.deepEqual(
        kept,
        Array.from({ length: kept.length }, (_, i) => 200 - kept.length + i),
      );
      for (const name of files()) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o640);
    });

    it('waits for a folder that is missing', async () => {
      rmSync(folder, { recursive: true });
      await write(log, 30);
      begin();
      assert.equal(await failed(), 'ENOENT');
      assert.ok(!existsSync(folder));
      mkdirSync(folder);
      await all(30);
    });

    it('waits for room on a disk that is full', async () => {
      symlinkSync('/dev/full', join(folder, 'soc.jsonl'));
      await write(log, 30);
      begin();
      assert.ok(['ENOSPC', 'EINVAL'].includes(await failed()));
      assert.equal(((await test.database.knex('feed_cursors').first()) as { seq: number }).seq, -1);
      rmSync(join(folder, 'soc.jsonl'));
      await all(30);
      await pause(50);
      assert.equal(lines().length, 30);
    });

    it('mends half a line that a crash left behind', async () => {
      await write(log, 10);
      await begin().close.call(feed);
      begin();
      await all(10);
      await feed?.close();
      appendFileSync(join(folder, 'soc.jsonl'), '{"index":10,"id":"half');
      await write(log, 5);
      begin();
      await all(15);
      assert.equal(lines().length, 15);
    });
  });
}
