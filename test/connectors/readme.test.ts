import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { FileBindingSchema, FileSettingsSchema } from '../../connectors/file/settings.js';
import { HttpBindingSchema, HttpSettingsSchema } from '../../connectors/http/settings.js';
import { CONVERSION_NAMES } from '../../connectors/mapping/conversion.js';
import { SqlBindingSchema, SqlSettingsSchema } from '../../connectors/sql/settings.js';

const readme = (room: string): string => readFileSync(`connectors/${room}/README.md`, 'utf8');

interface Node {
  readonly properties?: Record<string, Node>;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
}

/** Names of the keys of an object, whichever alternatives it has. */
function keys(node: Node): string[] {
  const own = Object.keys(node.properties ?? {});
  return [...own, ...[...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap(keys)];
}

const keysOf = (schema: z.ZodType): string[] => [
  ...new Set(keys(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Node)),
];

describe('connector documents', () => {
  const rooms: readonly [room: string, schemas: readonly z.ZodType[]][] = [
    ['http', [HttpSettingsSchema, HttpBindingSchema]],
    ['sql', [SqlSettingsSchema, SqlBindingSchema]],
    ['file', [FileSettingsSchema, FileBindingSchema]],
  ];
  for (const [room, schemas] of rooms)
    for (const key of schemas.flatMap(keysOf))
      it(`${room} explains ${key}`, () => assert.match(readme(room), new RegExp(`\`${key}[\`:.]`)));

  for (const name of CONVERSION_NAMES)
    it(`mapping explains ${name}`, () => assert.ok(readme('mapping').includes(`\`${name}\``)));
});
