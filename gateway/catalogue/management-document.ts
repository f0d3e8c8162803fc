import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../base/package-root.js';
import { type ApiDocument, parseDocument } from './document.js';

let known: ApiDocument | undefined;

/**
 * `openapi.yaml`, the contract of the management API. It is a part of the package, so that it is read once: that takes
 * longer than all else that a start does.
 *
 * @throws Error when the file cannot be read as OpenAPI
 */
export function managementDocument(): ApiDocument {
  if (known !== undefined) return known;
  const { document, faults } = parseDocument(readFileSync(join(PACKAGE_ROOT, 'openapi.yaml'), 'utf8'));
  if (document === null) throw new Error(`openapi.yaml: ${faults[0]?.message.en ?? 'unreadable'}`);
  return (known = document);
}
