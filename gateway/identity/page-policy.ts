import type { AdapterPayload } from 'oidc-provider';

function origins(clients: ReadonlyMap<string, AdapterPayload>): string[] {
  const uris = [...clients.values()].flatMap((client) => [
    ...(client.redirect_uris ?? []),
    ...(client.post_logout_redirect_uris ?? []),
  ]);
  const found = uris.map((uri) => {
    const { protocol, hostname, origin } = new URL(uri);
    // Programs of the command line listen on whatever port is free (RFC 8252 section 7.3).
    return hostname === '127.0.0.1' || hostname === '[::1]' ? `${protocol}//${hostname}:*` : origin;
  });
  return [...new Set(found)].sort();
}

/**
 * Headers of every page on which somebody types a password: no script of others, no frame around it, and a form that
 * leads to ourselves or, through the redirects after it, to an application that is registered.
 */
export function pagePolicy(clients: ReadonlyMap<string, AdapterPayload>): Record<string, string> {
  return {
    'Content-Security-Policy': [
      "default-src 'none'",
      "style-src 'self'",
      "font-src 'self'",
      "img-src 'self' data:",
      "script-src 'self'",
      `form-action 'self' ${origins(clients).join(' ')}`,
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ].join('; '),
    // Not no-referrer: browsers would then call the origin of our own forms null.
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Cache-Control': 'no-store',
  };
}
