import { createHash, randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

/** Cookies of one browser, kept by path as a browser keeps them; it follows no redirect by itself. */
export class TestBrowser {
  readonly #origin: string;
  readonly #cookies = new Map<string, { readonly path: string; readonly value: string }>();

  constructor(origin: string) {
    this.#origin = origin;
  }

  async request(path: string, form?: Readonly<Record<string, string>>, headers: Record<string, string> = {}) {
    const url = new URL(path, this.#origin);
    const cookie = this.cookies(url.pathname);
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { accept: 'text/html', ...(cookie === '' ? {} : { cookie }), ...headers },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return {
      status: response.status,
      location: response.headers.get('location'),
      text: await response.text(),
      headers: response.headers,
    };
  }

  /** The `Cookie` header of a request for a path. */
  cookies(path: string): string {
    return [...this.#cookies]
      .filter(([, { path: below }]) => path.startsWith(below))
      .map(([name, { value }]) => `${name.split('|')[0]}=${value}`)
      .join('; ');
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    const path = attributes.find((part) => /^path=/i.test(part))?.slice(5) ?? '/';
    const gone = attributes.some((part) => /^expires=Thu, 01 Jan 1970/i.test(part));
    if (gone) this.#cookies.delete(`${name}|${path}`);
    else this.#cookies.set(`${name}|${path}`, { path, value });
  }
}

/** The code of an authenticator application at a moment. */
export function oneTimeCode(secret: string, at: number): string {
  return new TOTP({ secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits: 6, period: 30 }).generate({
    timestamp: at,
  });
}

export interface TestTokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly id_token: string;
}

/** One sign-in to the console: an authorization request, the pages, the code. */
export class TestSignIn {
  readonly browser: TestBrowser;
  readonly #url: string;
  readonly #verifier = randomBytes(32).toString('base64url');
  readonly #client: string;
  readonly #redirect: string;
  page = { status: 0, location: null as string | null, text: '', headers: new Headers() };
  at = '';
  /** The authorization request that it began with. */
  request = '';

  constructor(
    url: string,
    browser = new TestBrowser(url),
    client = 'console',
    redirect = `${url}/console/callback`,
  ) {
    this.#url = url;
    this.browser = browser;
    this.#client = client;
    this.#redirect = redirect;
  }

  /** @param more - further parameters of the authorization request; undefined leaves one out */
  async begin(more: Readonly<Record<string, string | undefined>> = {}): Promise<this> {
    const query = {
      client_id: this.#client,
      redirect_uri: this.#redirect,
      response_type: 'code',
      scope: 'openid',
      state: 's1',
      code_challenge: createHash('sha256').update(this.#verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...more,
    };
    const sent = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
    this.request = `/oidc/auth?${new URLSearchParams(sent).toString()}`;
    await this.#go(this.request);
    return this;
  }

  /** Any address of the gateway, as the browser would open it. */
  async open(address: string): Promise<this> {
    await this.#go(address);
    return this;
  }

  /** Follows redirects as long as they stay with the gateway's own pages. */
  async #go(
    path: string,
    form?: Readonly<Record<string, string>>,
    headers?: Record<string, string>,
  ): Promise<void> {
    this.page = await this.browser.request(path, form, headers);
    this.at = path;
    const { location } = this.page;
    if (location === null) return;
    const next = new URL(location, this.#url);
    if (next.origin === new URL(this.#url).origin && next.pathname.startsWith('/oidc/'))
      await this.#go(location);
  }

  /** Which step the page asks for. */
  get step(): string | undefined {
    return /name="step" value="([\w-]+)"/.exec(this.page.text)?.[1];
  }

  async send(form: Readonly<Record<string, string>>, headers?: Record<string, string>): Promise<this> {
    await this.#go(this.at, { step: this.step ?? '', ...form }, headers);
    return this;
  }

  /** The secret that the enrolment page shows. */
  get secret(): string {
    const shown = /class="sign-in-secret"><code>([A-Z2-7 ]+)</.exec(this.page.text)?.[1];
    if (shown === undefined) throw new Error('no secret is shown');
    return shown.replaceAll(' ', '');
  }

  /** What the application was sent. */
  get answer(): URLSearchParams {
    if (this.page.location === null) throw new Error(`no answer yet: ${this.step ?? this.page.status}`);
    return new URL(this.page.location).searchParams;
  }

  async token(form: Readonly<Record<string, string>>, headers: Record<string, string> = {}) {
    const response = await fetch(`${this.#url}/oidc/token`, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ client_id: this.#client, ...form }),
    });
    return { status: response.status, body: (await response.json()) as TestTokens & { error?: string } };
  }

  async exchange(more: Readonly<Record<string, string>> = {}) {
    return await this.token({
      grant_type: 'authorization_code',
      code: this.answer.get('code') ?? '',
      redirect_uri: this.#redirect,
      code_verifier: this.#verifier,
      ...more,
    });
  }
}
