import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { checkInThread, DEFAULT_LIMITS } from '../../gateway/catalogue/check-thread.js';
import { ownModule } from '../kit/own-module.js';

/** A document of so many operations; of a version that is not taken, when a fault is asked for. */
function documentOf(operations: number, faulty = false): string {
  const paths = Object.fromEntries(
    Array.from({ length: operations }, (_, i) => [
      `/d${i}`,
      {
        get: {
          operationId: `o${i}`,
          parameters: [{ name: 'ma', in: 'query', schema: { type: 'string', maxLength: 10 + i } }],
          responses: {
            '200': { description: 'Có', content: { 'application/json': { schema: { type: 'array' } } } },
          },
        },
      },
    ]),
  );
  const info = { title: 'Danh mục', version: '1.0.0' };
  return JSON.stringify({ openapi: faulty ? '3.2.9' : '3.0.3', info, paths });
}

describe('the thread that checks documents', () => {
  it('says of each document what a thread that saw no other says', async () => {
    const documents = [documentOf(3), documentOf(2, true), '{', documentOf(5), documentOf(3)];
    // A limit of its own is a thread of its own.
    const apart = (text: string, i: number) =>
      checkInThread(text, { ...DEFAULT_LIMITS, memoryMb: DEFAULT_LIMITS.memoryMb - 1 - i });
    const kept = [];
    for (const text of documents) kept.push(await checkInThread(text));
    assert.deepEqual(kept, await Promise.all(documents.map(apart)));
    assert.deepEqual(
      kept.map(({ operations }) => operations.length),
      [3, 0, 0, 5, 3],
    );
  });

  it('goes on with the next after one that took too long', async () => {
    const slow = await checkInThread(documentOf(1500), { ...DEFAULT_LIMITS, timeMs: 1 });
    assert.deepEqual(
      slow.faults.map(({ keyword }) => keyword),
      ['time'],
    );
    assert.deepEqual((await checkInThread(documentOf(3))).faults, []);
  });

  it('calls none too intricate for what others left behind', async function () {
    this.timeout(60_000);
    const limits = { ...DEFAULT_LIMITS, memoryMb: 40 };
    for (let i = 0; i < 12; i += 1) {
      const { faults, operations } = await checkInThread(documentOf(300 + i), limits);
      assert.deepEqual([faults, operations.length], [[], 300 + i]);
    }
  });

  it('keeps no process from ending', () => {
    const { execArgv, path } = ownModule(import.meta.url, './check-and-end');
    // Well before a thread that rests would end by itself.
    const options = { input: documentOf(2), encoding: 'utf8', timeout: 15_000 } as const;
    assert.equal(execFileSync(process.execPath, [...execArgv, path], options), '0 faults\n');
  });
});
