import type { ApiDocument } from './document.js';
import { isObject, type JsonObject, objectMember } from './json-tree.js';
import { METHODS } from './operation-source.js';

const SCHEME = 'lgsp';

/** Members that carry data of any form, in which nothing is an extension of ours. */
const DATA = new Set(['example', 'examples', 'default', 'enum', 'const']);

function withoutOurs(value: unknown, inData = false): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutOurs(item, inData));
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([name]) => inData || !name.startsWith('x-lgsp-'));
  return Object.fromEntries(
    kept.map(([name, inner]) => [name, withoutOurs(inner, inData || DATA.has(name))]),
  );
}

function without(value: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

/** A path's own servers and security would lead callers past the gateway. */
function publicPathItem(item: unknown): unknown {
  if (!isObject(item)) return item;
  const methods: readonly string[] = [...METHODS, 'trace'];
  return Object.fromEntries(
    Object.entries(without(item, 'servers')).map(([name, value]) => {
      const operation = methods.includes(name) && isObject(value);
      return [name, operation ? without(value, 'servers', 'security') : value];
    }),
  );
}

function publicPathItems(items: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(items).map(([path, item]) => [path, publicPathItem(item)]));
}

/**
 * The document as integrators see it: without the provider's extensions, at the gateway's address, under the
 * gateway's OAuth 2.0.
 */
export function publicDocument(document: ApiDocument, serverUrl: string, tokenUrl: string): JsonObject {
  const root = withoutOurs(document.root) as JsonObject;
  const components = objectMember(root, 'components');
  const scheme = { type: 'oauth2', flows: { clientCredentials: { tokenUrl, scopes: {} } } };
  return {
    ...root,
    servers: [{ url: serverUrl }],
    security: [{ [SCHEME]: [] }],
    paths: publicPathItems(objectMember(root, 'paths')),
    components: {
      ...components,
      ...(components['pathItems'] === undefined
        ? {}
        : { pathItems: publicPathItems(objectMember(components, 'pathItems')) }),
      securitySchemes: { [SCHEME]: scheme },
    },
  };
}
