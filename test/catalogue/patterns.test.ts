import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LinearPattern } from '../../gateway/catalogue/patterns.js';

/** Parts of patterns that V8's engine may run, and texts that come near to them. */
const ATOMS = ['a', '[0-9]', '[^a-c]', '\\d', '\\.', '[a-z\\-]', 'Đ'];
const QUANTIFIERS = ['', '{2}', '*', '+', '?', '{1,3}', '{2,}'];

const pattern = fc
  .array(fc.tuple(fc.constantFrom(...ATOMS), fc.constantFrom(...QUANTIFIERS)), { minLength: 1, maxLength: 6 })
  .map((parts) => `^${parts.map((part) => part.join('')).join('')}$`);
const text = fc.string({ unit: fc.constantFrom('a', 'b', '7', '.', '-', 'Đ', 'ạ', '😀'), maxLength: 12 });

describe('patterns of a contract', () => {
  it('mean what they mean in JavaScript, whichever engine runs them', () => {
    fc.assert(
      fc.property(pattern, text, (source, given) => {
        assert.equal(new LinearPattern(source).test(given), new RegExp(source, 'u').test(given));
      }),
      { numRuns: 2000 },
    );
  });

  for (const source of [
    '^a*a*a*a*a*a*a*b$',
    '^(a+)+$',
    '^(a|aa)+$',
    'a*a*a*a*b',
    '^[a-z]*[a-y]*[a-x]*[a-w]*[a-v]*!$',
  ]) {
    it(`${source} ends on a text made to keep a backtracking engine busy for hours`, () => {
      assert.equal(new LinearPattern(source).test(`${'a'.repeat(5000)}?`), false);
    });
  }
});
