import { Readable } from 'node:stream';
import { importJWK, type JWK, SignJWT } from 'jose';
import { CommandFailure } from './failure.js';

/** One answer of the management API; a refusal is an answer too. */
export interface ApiAnswer {
  readonly status: number;
  /** Parsed JSON, or text; null when there was none. */
  readonly body: unknown;
  /** The body as it came. */
  readonly text: string;
  /** The same, where bytes matter. */
  readonly bytes?: Buffer;
}

/** A body that is a file. */
export class FileBody {
  readonly bytes: Buffer;
  readonly type: string;

  constructor(bytes: Buffer, type: string) {
    this.bytes = bytes;
    this.type = type;
  }
}

/** The management API, over HTTP or in the same process. Paths begin below `/api`, e.g. `/agencies?limit=10`. */
export interface ManagementApi {
  /** @param body JSON, or a {@link FileBody} */
  request(method: string, path: string, body?: unknown): Promise<ApiAnswer>;
}

/** How a client proves itself. */
export type ClientProof =
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'key'; readonly jwk: JWK };

export interface ApiClient {
  /** Where the gateway is, e.g. `https://lgsp.example.vn`. */
  readonly url: string;
  readonly clientId: string;
  readonly proof: ClientProof;
}

export interface AccessToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

const TIMEOUT_MS = 60_000;
const ALGORITHMS: Readonly<Record<string, string>> = { EC: 'ES256', RSA: 'RS256', OKP: 'EdDSA' };

async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } };
    const why = cause?.code ?? (error as Error).message;
    throw new CommandFailure(`${new URL(url).origin} cannot be reached: ${why}`);
  }
}

async function issuerAt(url: string): Promise<string> {
  const answer = await send(`${url}/oidc/.well-known/openid-configuration`, {});
  const { issuer } = (answer.ok ? await answer.json() : {}) as { issuer?: unknown };
  if (typeof issuer !== 'string')
    throw new CommandFailure(`${url} is not a gateway: no authorization server there`);
  return issuer;
}

async function assertion(clientId: string, jwk: JWK, issuer: string): Promise<string> {
  const alg = jwk.alg ?? ALGORITHMS[jwk.kty ?? ''] ?? 'ES256';
  const header = { alg, ...(jwk.kid === undefined ? {} : { kid: jwk.kid }) };
  return await new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader(header)
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(issuer)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(await importJWK(jwk, alg));
}

async function proofOf(
  { clientId, proof }: ApiClient,
  issuer: string,
): Promise<[RequestInit['headers'], object]> {
  if (proof.kind === 'secret') {
    const pair = [clientId, proof.secret].map((part) => encodeURIComponent(part)).join(':');
    return [{ authorization: `Basic ${Buffer.from(pair).toString('base64')}` }, {}];
  }
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  const signed = await assertion(clientId, proof.jwk, issuer);
  return [{}, { client_id: clientId, client_assertion_type: type, client_assertion: signed }];
}

/**
 * A plain `client_credentials` request.
 *
 * @param resource `api` for the management API, `data` for the data services
 */
export async function fetchToken(client: ApiClient, resource: 'api' | 'data'): Promise<AccessToken> {
  const issuer = await issuerAt(client.url);
  const [headers = {}, fields] = await proofOf(client, issuer);
  // The resource carries the address that the gateway is known by, which may differ from the one we reach it at.
  const target = `${issuer.replace(/\/oidc$/, '')}/${resource}`;
  const form = new URLSearchParams({ grant_type: 'client_credentials', resource: target, ...fields });
  const answer = await send(`${client.url}/oidc/token`, { method: 'POST', headers, body: form });
  const body = (await answer.json().catch(() => ({}))) as {
    access_token?: string;
    expires_in?: number;
    error?: string;
    error_description?: string;
  };
  if (body.access_token === undefined) {
    const why = [body.error, body.error_description].filter((part) => part !== undefined).join(': ');
    throw new CommandFailure(
      `no token for ${client.clientId}: ${why === '' ? `status ${answer.status}` : why}`,
    );
  }
  return { token: body.access_token, expiresAt: Date.now() + (body.expires_in ?? 60) * 1000 };
}

async function readAnswer(answer: Response): Promise<ApiAnswer> {
  const bytes = Buffer.from(await answer.arrayBuffer());
  const text = bytes.toString('utf8');
  const isJson = /[/+]json\b/.test(answer.headers.get('content-type') ?? '');
  const body = text === '' ? null : isJson ? (JSON.parse(text) as unknown) : text;
  return { status: answer.status, body, text, bytes };
}

/** A token is renewed this long before it ends, so that none ends on its way. */
const EARLY_MS = 30_000;

const payloadOf = (body: unknown): string | Uint8Array<ArrayBuffer> =>
  body instanceof FileBody ? new Uint8Array(body.bytes) : JSON.stringify(body);

/** A gateway elsewhere, to one of its clients. */
export interface HttpApi extends ManagementApi {
  /** Reads from a data service. @returns the status */
  call(path: string): Promise<number>;
}

/** The management API of a gateway elsewhere. */
export function httpApi(client: ApiClient): HttpApi {
  let known: AccessToken | null = null;
  return {
    async call(path) {
      const { token } = await fetchToken(client, 'data');
      const answer = await send(`${client.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
      await answer.arrayBuffer();
      return answer.status;
    },
    async request(method, path, body) {
      if (known === null || known.expiresAt - EARLY_MS < Date.now()) known = await fetchToken(client, 'api');
      const headers: Record<string, string> = {
        authorization: `Bearer ${known.token}`,
        'accept-language': 'en',
      };
      if (body !== undefined)
        headers['content-type'] = body instanceof FileBody ? body.type : 'application/json';
      const payload = body === undefined ? {} : { body: payloadOf(body) };
      return await readAnswer(await send(`${client.url}/api${path}`, { method, headers, ...payload }));
    },
  };
}

/** A body that is taken while it comes. */
export interface Download {
  readonly body: Readable;
  /** The id of its record. */
  readonly record: string;
  readonly treeSize: string;
}

/** @throws CommandFailure when the gateway refuses */
export async function downloadFrom(client: ApiClient, path: string): Promise<Download> {
  const { token } = await fetchToken(client, 'api');
  const headers = { authorization: `Bearer ${token}`, 'accept-language': 'en' };
  // No bound on the whole: it lasts as long as it is read.
  const answer = await fetch(`${client.url}/api${path}`, { headers, redirect: 'error' });
  if (!answer.ok || answer.body === null) {
    const { code, detail } = (await answer.json().catch(() => ({}))) as { code?: string; detail?: string };
    throw new CommandFailure(`refused: ${code ?? answer.status}${detail === undefined ? '' : `: ${detail}`}`);
  }
  const known = (name: string): string => answer.headers.get(name) ?? 'unknown';
  return {
    body: Readable.fromWeb(answer.body),
    record: known('lgsp-record'),
    treeSize: known('lgsp-tree-size'),
  };
}
