import { Problem } from '../../base/problem.js';
import { majorOf, type Manifest, serviceId } from '../../catalogue/manifest.js';
import type { ControlContext } from '../handler.js';
import { invalid } from '../refusals.js';
import { revisionDigest } from './digest.js';

/** What a client hands in: nothing of it has been believed yet, beyond its outer structure. */
export interface SentContent {
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly document: string | object;
  readonly credentials?: Readonly<Record<string, string>>;
}

/** A manifest and a document that could be published. */
export interface CheckedContent {
  readonly id: string;
  /** With the bindings that the document brings. */
  readonly manifest: Manifest;
  /** Without them: what was handed in, with its defaults. */
  readonly declared: Manifest;
  readonly document: string;
  readonly sha256: string;
  readonly credentials: Readonly<Record<string, string>>;
}

const CREDENTIAL_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?$/;

/** Text stays byte for byte what was handed in; an object becomes text once, here. */
export function documentText(document: string | object): string {
  return typeof document === 'string' ? document : JSON.stringify(document, null, 2);
}

function assertCredentialNames(credentials: Readonly<Record<string, string>>): void {
  const index = Object.keys(credentials).findIndex((name) => !CREDENTIAL_NAME.test(name));
  if (index === -1) return;
  throw invalid(
    '/body/credentials',
    'propertyNames',
    'tên thông tin xác thực gồm 1 đến 64 chữ cái, chữ số, dấu chấm, gạch nối hoặc gạch dưới',
    'a credential is named with 1 to 64 letters, digits, dots, hyphens or underscores',
  );
}

function declaredOf(merged: Manifest, sent: Readonly<Record<string, unknown>>): Manifest {
  const own = Object.keys(sent['operations'] ?? {});
  const bindings = Object.entries(merged.operations).filter(([id]) => own.includes(id));
  return { ...merged, operations: Object.fromEntries(bindings) };
}

/**
 * Checks as for publication.
 *
 * @param stored names of the credentials that the service has already
 * @throws Problem `contract_invalid` with every fault, or `state_secret`
 */
export async function checkedContent(
  context: ControlContext,
  sent: SentContent,
  stored: readonly string[],
): Promise<CheckedContent> {
  const credentials = sent.credentials ?? {};
  assertCredentialNames(credentials);
  const document = documentText(sent.document);
  const names = [...new Set([...stored, ...Object.keys(credentials)])];
  const check = await context.checkService(sent.manifest, document, names);
  if (!check.ok) throw new Problem('contract_invalid', { errors: check.faults });
  const manifest = check.manifest as Manifest;
  const id = serviceId(manifest.provider, manifest.slug, majorOf(manifest.version));
  const declared = declaredOf(manifest, sent.manifest);
  return { id, manifest, declared, document, sha256: revisionDigest(declared, document), credentials };
}
