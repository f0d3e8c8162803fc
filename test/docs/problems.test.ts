import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../gateway/base/package-root.js';
import { type ProblemCode, PROBLEMS } from '../../gateway/base/problem.js';
import { REMEDIES } from '../../gateway/base/problem-remedies.js';

/** Cells of the table's rows, by the code in their first cell. */
function documented(): Map<string, string[]> {
  const text = readFileSync(join(PACKAGE_ROOT, 'docs', 'problems.md'), 'utf8');
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.slice(2, -2).split(' | '));
  const byCode = new Map(rows.map((cells) => [(cells[0] ?? '').replaceAll('`', ''), cells.slice(1)]));
  assert.equal(byCode.size, rows.length, 'a code has two rows');
  return byCode;
}

describe('docs/problems.md', () => {
  const rows = documented();
  const codes = Object.keys(PROBLEMS) as ProblemCode[];

  it('has a row for every code, and a code for every row', () => {
    assert.deepEqual([...rows.keys()].sort(), [...codes].sort());
  });

  for (const code of codes) {
    it(`says of ${code} what the gateway says`, () => {
      const { status, title } = PROBLEMS[code];
      const { meaning, remedy } = REMEDIES[code];
      const english = `**${title.en}.** ${meaning.en} ${remedy.en}`;
      assert.deepEqual(rows.get(code), [String(status), title.vi, meaning.vi, remedy.vi, english]);
    });
  }
});
