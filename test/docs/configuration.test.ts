import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigSchema, loadConfig } from '../../gateway/base/config.js';
import { PACKAGE_ROOT } from '../../gateway/base/package-root.js';

const text = (...path: string[]): string => readFileSync(join(PACKAGE_ROOT, ...path), 'utf8');

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
}

/** Every key that holds a value, dotted. */
function keysOf(node: Node, prefix = ''): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, part]) =>
    part.properties === undefined ? [`${prefix}${name}`] : keysOf(part, `${prefix}${name}.`),
  );
}

function valueAt(value: unknown, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], value);
}

/** First cell → second cell, of the rows that begin as told. */
function rows(beginning: string): Map<string, string> {
  const lines = text('docs', 'configuration.md')
    .split('\n')
    .filter((line) => line.startsWith(`| \`${beginning}`));
  const cells = lines.map((line) => line.split(' | ').map((cell) => cell.replaceAll(/^\| |`/g, '')));
  return new Map(cells.map(([first = '', second = '']) => [first, second]));
}

describe('docs/configuration.md', () => {
  const keys = keysOf(z.toJSONSchema(ConfigSchema, { io: 'input' }) as Node);
  const variables = rows('LGSP_');
  const described = new Map([...rows('')].filter(([key]) => !variables.has(key)));

  it('has a row for every key, and a key for every row', () => {
    assert.ok(keys.length > 20);
    assert.deepEqual([...described.keys()].sort(), [...keys].sort());
  });

  const defaults = ConfigSchema.parse({});
  for (const key of keys) {
    it(`says the default of ${key}`, () => {
      const value = valueAt(defaults, key);
      assert.equal(described.get(key), value === undefined ? '–' : JSON.stringify(value));
    });
  }

  it('has a row for every variable of the environment, and a variable for every row', () => {
    const known = [...text('gateway', 'base', 'config.ts').matchAll(/^ {2}(LGSP_[A-Z_]+): '([A-Za-z.]+)'/gm)];
    assert.ok(known.length > 5);
    const expected = known.map(([, variable = '', key = '']) => [variable, key]);
    assert.deepEqual([...variables].sort(), expected.sort());
  });

  it('names no variable that the gateway would refuse', () => {
    const values: Readonly<Record<string, string>> = {
      LGSP_PORT: '8081',
      LGSP_PUBLIC_URL: 'https://lgsp.example.vn',
      LGSP_LOG_LEVEL: 'info',
      LGSP_TRUSTED_PROXIES: '10.0.0.1,10.1.0.0/16',
    };
    for (const variable of variables.keys())
      assert.doesNotThrow(() => loadConfig({}, { [variable]: values[variable] ?? 'a' }));
    assert.throws(() => loadConfig({}, { LGSP_NO_SUCH: 'a' }));
  });
});
