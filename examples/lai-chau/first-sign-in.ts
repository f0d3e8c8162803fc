import { createHash, randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

/** How a sample user signs in from then on. */
export interface SignedIn {
  readonly password: string;
  /** Base32; null where the roles need no one-time code. */
  readonly totpSecret: string | null;
}

/** As much of a browser as the pages need: it keeps cookies and follows redirects below `/oidc/`. */
class Browser {
  readonly #origin: string;
  readonly #cookies = new Map<string, { readonly path: string; readonly pair: string }>();
  at = '';
  html = '';
  /** Where the last answer led, out of the gateway's own pages. */
  left: string | null = null;

  constructor(origin: string) {
    this.#origin = origin;
  }

  async go(path: string, form?: Readonly<Record<string, string>>): Promise<void> {
    const url = new URL(path, this.#origin);
    const cookies = [...this.#cookies.values()].filter((one) => url.pathname.startsWith(one.path));
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: cookies.map(({ pair }) => pair).join('; ') },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    this.at = url.pathname;
    this.html = await response.text();
    const location = response.headers.get('location');
    if (location === null) return;
    if (new URL(location, this.#origin).pathname.startsWith('/oidc/')) await this.go(location);
    else this.left = location;
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/; */);
    const path = attributes.find((part) => /^path=/i.test(part))?.slice(5) ?? '/';
    const [name = ''] = pair.split('=');
    if (pair === `${name}=`) this.#cookies.delete(`${name} ${path}`);
    else this.#cookies.set(`${name} ${path}`, { path, pair });
  }

  get step(): string | undefined {
    return /name="step" value="([\w-]+)"/.exec(this.html)?.[1];
  }

  async send(form: Readonly<Record<string, string>>): Promise<void> {
    await this.go(this.at, { step: this.step ?? '', ...form });
  }
}

function shownSecret(html: string): string {
  return (/class="sign-in-secret"><code>([A-Z2-7 ]+)</.exec(html)?.[1] ?? '').replaceAll(' ', '');
}

/**
 * The first sign-in of a person, page by page: the temporary password, one of their own, the authenticator, the rules.
 *
 * @throws Error when it does not end at the console
 */
export async function firstSignIn(url: string, username: string, temporary: string): Promise<SignedIn> {
  const browser = new Browser(url);
  const query = {
    client_id: 'console',
    redirect_uri: `${url}/console/callback`,
    response_type: 'code',
    scope: 'openid',
    code_challenge: createHash('sha256').update(randomBytes(32).toString('base64url')).digest('base64url'),
    code_challenge_method: 'S256',
  };
  await browser.go(`/oidc/auth?${new URLSearchParams(query).toString()}`);
  await browser.send({ name: username, password: temporary });
  const password = `mau-${randomBytes(9).toString('base64url')}`;
  await browser.send({ password, again: password });
  const totpSecret = browser.step === 'enrol' ? shownSecret(browser.html) : null;
  if (totpSecret !== null)
    await browser.send({ code: new TOTP({ secret: Secret.fromBase32(totpSecret) }).generate() });
  await browser.send({ accept: 'yes' });
  if (browser.left === null) throw new Error(`${username} could not sign in: ${browser.step ?? 'no page'}`);
  return { password, totpSecret };
}
