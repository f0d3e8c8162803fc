import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';

/** An OpenID provider over plain HTTP that says what a test wants it to say, with real keys. */
export class TestIdentityProvider {
  readonly #server: Server;
  readonly #key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  #nonce = '';
  issuer = '';
  /** Beside `sub`, of whoever comes next. */
  claims: Record<string, unknown> = {};
  /** Signs in place of its own key. */
  stranger: KeyObject | null = null;
  down = false;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.issuer = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Somebody proves themselves where they were sent. @returns what it was asked for, and where it sends them back */
  prove(departure: string): { asked: URLSearchParams; back: string } {
    const { searchParams: asked } = new URL(departure);
    this.#nonce = asked.get('nonce') ?? '';
    const back = new URLSearchParams({ code: 'c', state: asked.get('state') ?? '' });
    return { asked, back: `/oidc/external?${back.toString()}` };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.down) {
      response.destroy();
      return;
    }
    const said = await this.#says(request.url ?? '');
    response.setHeader('content-type', 'application/json').end(JSON.stringify(said));
  }

  async #says(path: string): Promise<object> {
    const { issuer } = this;
    if (path.startsWith('/jwks'))
      return {
        keys: [{ ...this.#key.publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' }],
      };
    if (path.startsWith('/token'))
      return { access_token: 'a', token_type: 'Bearer', id_token: await this.#idToken() };
    return {
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    };
  }

  async #idToken(): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return await new SignJWT({ sub: 'somebody', nonce: this.#nonce, auth_time: now, ...this.claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuer(this.issuer)
      .setAudience('lgsp')
      .setIssuedAt(now)
      .setExpirationTime(now + 60)
      .sign(this.stranger ?? this.#key.privateKey);
  }
}
