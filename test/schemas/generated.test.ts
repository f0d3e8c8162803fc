import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../gateway/base/package-root.js';
import { jsonSchema, SCHEMAS } from '../../schemas/generate.js';

describe('the schemas on file', () => {
  for (const name of Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[]) {
    it(`${name} says what the code says; if not, run: npm run generate`, () => {
      const onFile: unknown = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'schemas', name), 'utf8'));
      assert.deepEqual(onFile, JSON.parse(JSON.stringify(jsonSchema(name))));
    });
  }
});
