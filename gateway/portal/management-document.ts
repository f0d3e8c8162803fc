import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../base/package-root.js';
import { parseDocument } from '../catalogue/document.js';
import type { JsonObject } from '../catalogue/json-tree.js';
import { publicDocument } from '../catalogue/public-document.js';

/**
 * `openapi.yaml` with full addresses, so that a copy taken elsewhere still knows which gateway it speaks of.
 *
 * @throws Error when the file cannot be read as OpenAPI
 */
export function managementDocument(publicUrl: string): JsonObject {
  const { document, faults } = parseDocument(readFileSync(join(PACKAGE_ROOT, 'openapi.yaml'), 'utf8'));
  if (document === null) throw new Error(`openapi.yaml: ${faults[0]?.message.en ?? 'unreadable'}`);
  return publicDocument(document, `${publicUrl}/api`, `${publicUrl}/oidc/token`);
}
