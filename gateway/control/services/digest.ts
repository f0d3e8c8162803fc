import { createHash } from 'node:crypto';
import { canonicalJson } from '../../audit/canonical.js';

/**
 * What tells two revisions apart: SHA-256, hexadecimal, over the RFC 8785 form of the manifest and the document
 * byte for byte.
 *
 * @param manifest as it was handed in, with its defaults filled in
 */
export function revisionDigest(manifest: unknown, document: string): string {
  // A NUL cannot occur in canonical JSON, so no text can move from one part to the other.
  return createHash('sha256').update(canonicalJson(manifest)).update('\0').update(document).digest('hex');
}
