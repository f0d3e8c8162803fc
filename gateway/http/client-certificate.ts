import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { AddressSet } from '../base/address-set.js';
import { peerAddress } from './client-address.js';

interface CertificateSettings {
  readonly trustedProxies: readonly string[];
  readonly clientCertificateHeader?: string | undefined;
  readonly tls?: { readonly clientCaFile?: string | undefined } | undefined;
}

const MAX_HEADER = 12_288;
/** RFC 9440: a byte sequence of structured fields. */
const BYTES = /^:([A-Za-z0-9+/]+={0,2}):$/;
/** Envoy: `Hash=…;Cert="{URL-encoded PEM}";Subject="…"`, of one hop only. */
const FORWARDED =
  /^(?:[A-Za-z]+=(?:"(?:[^"\\]|\\.)*"|[^;,"]*);)*Cert="([^"\\,]+)"(?:;[A-Za-z]+=(?:"(?:[^"\\]|\\.)*"|[^;,"]*))*$/;
const PEM = /^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/;

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** A header must hold one certificate and nothing that could be taken for another. */
function parse(value: string): X509Certificate | null {
  if (value.length > MAX_HEADER) return null;
  const bytes = BYTES.exec(value)?.[1];
  const pem = bytes === undefined ? decoded(FORWARDED.exec(value)?.[1] ?? value) : null;
  if (bytes === undefined && (pem === null || !PEM.test(pem))) return null;
  try {
    return new X509Certificate(bytes === undefined ? (pem ?? '') : Buffer.from(bytes, 'base64'));
  } catch {
    return null;
  }
}

/** A certificate that is over or early is still handed on, so that the refusal can say so. */
const ONLY_ITS_DATES: readonly unknown[] = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'];

function ofSocket(socket: TLSSocket, demandIssuer: boolean): X509Certificate | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  const { authorized, authorizationError } = socket as { authorized: boolean; authorizationError: unknown };
  const code =
    authorizationError instanceof Error && 'code' in authorizationError
      ? authorizationError.code
      : authorizationError;
  return !demandIssuer || authorized || ONLY_ITS_DATES.includes(code) ? certificate : null;
}

/**
 * The certificate that a caller proved to hold: in the TLS handshake with us, or with a proxy that we trust and
 * that hands it over in a header. From anyone else the header is dropped unread, and nobody behind this sees it.
 */
export class ClientCertificates {
  readonly #trusted: AddressSet;
  readonly #header: string | null;
  readonly #demandIssuer: boolean;
  readonly #handed = new WeakMap<IncomingMessage, string>();

  constructor(settings: CertificateSettings) {
    this.#trusted = new AddressSet(settings.trustedProxies);
    this.#header = settings.clientCertificateHeader?.toLowerCase() ?? null;
    this.#demandIssuer = settings.tls?.clientCaFile !== undefined;
  }

  /** Takes the header off a request before anything else looks at it. */
  admit(request: IncomingMessage): void {
    if (this.#header === null) return;
    const { headers } = request;
    const value = headers[this.#header];
    if (value === undefined) return;
    Reflect.deleteProperty(headers, this.#header);
    if (this.#trusted.has(peerAddress(request))) this.#handed.set(request, String(value));
  }

  of(request: IncomingMessage): X509Certificate | null {
    const { socket } = request;
    // A proxy has a certificate of its own; what counts behind it is the caller's alone.
    if (this.#header !== null && this.#trusted.has(peerAddress(request))) {
      const value = this.#handed.get(request);
      return value === undefined ? null : parse(value);
    }
    return socket instanceof TLSSocket ? ofSocket(socket, this.#demandIssuer) : null;
  }
}
