import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigSchema } from '../gateway/base/config.js';
import { ManifestSchema } from '../gateway/catalogue/manifest.js';

/** The structures that people write by hand, as JSON Schema, so that their editors can check them while they type. */
export const SCHEMAS = {
  'config.json': { title: 'The configuration of a node', schema: ConfigSchema },
  'manifest.json': { title: 'What a provider says of a service', schema: ManifestSchema },
} as const;

export function jsonSchema(name: keyof typeof SCHEMAS): Record<string, unknown> {
  const { title, schema } = SCHEMAS[name];
  const made = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
  return {
    $schema: made.$schema,
    $id: `urn:lgsp-gateway:schemas:${name.replace('.json', '')}:v1`,
    title,
    ...made,
  };
}

if (process.argv[1]?.endsWith('generate.ts') === true) {
  for (const name of Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[]) {
    writeFileSync(join(import.meta.dirname, name), `${JSON.stringify(jsonSchema(name), null, 2)}\n`);
  }
}
