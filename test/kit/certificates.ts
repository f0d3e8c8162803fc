import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A key and its certificate, in PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
  readonly x509: X509Certificate;
  /** `x5t#S256`, by openssl rather than by our own code. */
  readonly thumbprint: string;
}

export interface IdentityOptions {
  /** -1: a certificate that ended yesterday; openssl makes none that ended earlier. */
  readonly days?: number;
  readonly issuer?: Identity;
  /** Whether it may issue others. */
  readonly authority?: boolean;
  readonly key?: readonly string[];
}

const EC = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] as const;

/** Makes a certificate with openssl: self-signed, unless an issuer is given. */
export function makeIdentity(name: string, options: IdentityOptions = {}): Identity {
  const { days = 30, issuer, authority = false, key: kind = EC } = options;
  const folder = mkdtempSync(join(tmpdir(), 'lgsp-certificate-'));
  const at = (file: string): string => join(folder, file);
  const openssl = (...words: string[]): Buffer => execFileSync('openssl', words, { stdio: 'pipe' });
  try {
    const subject = `/C=VN/O=So Noi vu/CN=${name}`;
    const extensions = authority
      ? 'basicConstraints=critical,CA:TRUE'
      : 'subjectAltName=DNS:localhost,IP:127.0.0.1';
    openssl(
      'req',
      '-new',
      '-newkey',
      ...kind,
      '-nodes',
      '-keyout',
      at('key'),
      '-out',
      at('csr'),
      '-subj',
      subject,
      '-addext',
      extensions,
    );
    const signer = issuer ?? null;
    if (signer !== null) {
      writeFileSync(at('ca'), signer.cert);
      writeFileSync(at('ca.key'), signer.key);
    }
    const by =
      signer === null
        ? ['-signkey', at('key')]
        : ['-CA', at('ca'), '-CAkey', at('ca.key'), '-CAcreateserial'];
    openssl(
      'x509',
      '-req',
      '-in',
      at('csr'),
      ...by,
      '-days',
      String(days),
      '-copy_extensions',
      'copy',
      '-out',
      at('cert'),
    );
    const der = openssl('x509', '-in', at('cert'), '-outform', 'DER');
    const digest = execFileSync('openssl', ['dgst', '-sha256', '-binary'], { input: der });
    const cert = readFileSync(at('cert'), 'utf8');
    return {
      cert,
      key: readFileSync(at('key'), 'utf8'),
      x509: new X509Certificate(cert),
      thumbprint: digest.toString('base64url'),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
