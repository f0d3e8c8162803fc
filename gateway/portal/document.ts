import type { Markup } from './html.js';
import type { Language } from './language.js';

/** A public document as the gateway sends it. */
export interface PublicDocument {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

type Query = Readonly<Record<string, string | undefined>>;

/** One address of the portal. `render` gives null where there is nothing to show. */
export interface PortalRoute {
  /** An express 5 path, e.g. `/docs/:provider/:slug/:version`. */
  readonly path: string;
  render(
    params: Readonly<Record<string, string>>,
    query: Query,
    acceptLanguage: string | undefined,
  ): PublicDocument | Promise<PublicDocument> | null;
}

const policy = (...extra: readonly string[]): string =>
  [
    "default-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
    ...extra,
  ].join('; ');

/** Nothing from elsewhere, and nothing inline. */
const STRICT = policy();
/** Swagger UI sets style attributes and draws its icons from `data:` addresses. Its scripts are files all the same. */
const WITH_SWAGGER_UI = policy("style-src 'self' 'unsafe-inline'", "img-src 'self' data:");

const SAFE: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

/** What is published changes at any moment; a copy may be kept but must be asked for again. */
const FRESH = 'no-cache';

export interface PageFacts {
  readonly language: Language;
  readonly swaggerUi?: boolean;
  /** Whether the language was taken from the request's headers. */
  readonly negotiated?: boolean;
}

export function htmlDocument(
  page: Markup,
  { language, swaggerUi = false, negotiated = false }: PageFacts,
): PublicDocument {
  return {
    status: 200,
    contentType: 'text/html; charset=utf-8',
    body: page.toString(),
    headers: {
      ...SAFE,
      'cache-control': FRESH,
      'content-language': language,
      'content-security-policy': swaggerUi ? WITH_SWAGGER_UI : STRICT,
      ...(negotiated ? { vary: 'Accept-Language' } : {}),
    },
  };
}

export function jsonDocument(
  value: unknown,
  contentType = 'application/json; charset=utf-8',
  headers: Readonly<Record<string, string>> = {},
): PublicDocument {
  return {
    status: 200,
    contentType,
    body: JSON.stringify(value),
    headers: { ...SAFE, 'cache-control': FRESH, 'content-security-policy': STRICT, ...headers },
  };
}

export function redirectTo(location: string): PublicDocument {
  return { status: 302, contentType: 'text/plain; charset=utf-8', body: '', headers: { ...SAFE, location } };
}
