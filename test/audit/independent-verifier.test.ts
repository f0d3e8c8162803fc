import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storedReceipt } from '../../gateway/audit/stored-receipt.js';
import { type TestDatabase, embedded } from '../kit/databases.js';
import { startLog, verifierKeys } from './log.js';
import { aRecord } from './records.js';

const PROGRAM = 'test/audit/independent-verifier.py';
const found = (program: string, argument: string): boolean => spawnSync(program, [argument]).status === 0;

// The program follows docs/log.md step by step and shares no code with the gateway: where it needs more than the page says, the page
// is to be mended.
describe('a verifier that follows the documentation, without our code', () => {
  let test: TestDatabase;
  const receipts: string[] = [];

  before(async function () {
    if (!found('python3', '--version') || !found('openssl', 'version')) return this.skip();
    test = await embedded.create();
    const recorder = await startLog(test.database);
    for (const count of [1, 2, 300, 5])
      await Promise.all(Array.from({ length: count }, () => recorder.write(aRecord({ user: 'Lò Thị Mai' }))));
    await recorder.close();
    for (const index of [0, 2, 3, 255, 256, 302, 307])
      receipts.push((await storedReceipt(test.database, index)) ?? '');
  });
  after(async () => {
    await test?.drop();
  });

  function run(receipt: string): { status: number | null; out: string } {
    const file = join(test.dataDir, 'receipt');
    writeFileSync(file, receipt);
    const { status, stdout } = spawnSync('python3', [PROGRAM, file, verifierKeys[0]!], { encoding: 'utf8' });
    return { status, out: stdout };
  }

  it('accepts our receipts, and reads the record in them', () => {
    for (const receipt of receipts) {
      const { status, out } = run(receipt);
      assert.equal(status, 0, receipt);
      assert.equal((JSON.parse(out) as { user: string }).user, 'Lò Thị Mai');
    }
  });

  it('refuses what was changed', () => {
    const receipt = receipts[4]!;
    const changes: readonly ((text: string) => string)[] = [
      (text) => text.replace('index 256', 'index 255'),
      (text) => text.replace(/extra .*/, /extra .*/.exec(receipts[3]!)![0]),
      (text) => text.replace(/(index 256\n)[^\n]+\n/, '$1'),
      (text) => text.replace('\n303\n', '\n304\n'),
      (text) => text.replaceAll('lgsp.test/log', 'lgsp.other/log'),
    ];
    for (const change of changes) {
      assert.notEqual(change(receipt), receipt);
      assert.equal(run(change(receipt)).status, 1);
    }
  });
});
