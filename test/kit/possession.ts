import { createHash, randomUUID } from 'node:crypto';
import { request as plainRequest } from 'node:http';
import { type RequestOptions, request as tlsRequest } from 'node:https';
import { calculateJwkThumbprint, type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** A key with which a client proves possession. */
export interface ProofKey {
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
  readonly privateJwk: JWK;
  readonly thumbprint: string;
}

export async function newProofKey(alg = 'ES256'): Promise<ProofKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const publicJwk = await exportJWK(publicKey);
  const privateJwk = await exportJWK(privateKey);
  return { alg, privateKey, publicJwk, privateJwk, thumbprint: await calculateJwkThumbprint(publicJwk) };
}

export interface ProofParts {
  readonly method?: string;
  readonly url: string;
  readonly token?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
}

/** A DPoP proof, made as RFC 9449 has it but for what `claims` and `header` change; undefined leaves a claim out. */
export async function proof(key: ProofKey, parts: ProofParts): Promise<string> {
  const { method = 'GET', url, token, claims = {}, header = {} } = parts;
  const ath = token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') };
  const iat = Math.floor(Date.now() / 1000);
  const all = { jti: randomUUID(), htm: method, htu: url, iat, ...ath, ...claims };
  return await new SignJWT(all)
    .setProtectedHeader({ alg: key.alg, typ: 'dpop+jwt', jwk: key.publicJwk, ...header })
    .sign(key.privateKey);
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: any;
}

/** A request as it is written here, repeated headers and all; `fetch` would join or refuse them. */
export async function send(
  url: string,
  options: Omit<RequestOptions, 'headers'> & { headers?: string[] | Record<string, string> } = {},
  body = '',
): Promise<Answered> {
  const request = url.startsWith('https:') ? tlsRequest : plainRequest;
  // A list of headers is sent as it stands.
  const headers = Array.isArray(options.headers)
    ? ['Host', new URL(url).host, ...options.headers]
    : options.headers;
  return await new Promise((resolve, reject) => {
    const call = request(url, { agent: false, ...options, headers } as RequestOptions, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body: text === '' ? null : JSON.parse(text) });
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}
