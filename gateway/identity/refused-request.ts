import { decodeJwt } from 'jose';
import type { KoaContextWithOIDC } from 'oidc-provider';

/** A token request that was refused. */
export interface RefusedRequest {
  readonly address: string;
  /** Who it says it is from; nothing of it was believed. */
  readonly client: string | undefined;
  /** The error of RFC 6749 that was answered. */
  readonly error: string;
}

function basicUser(header: string | undefined): string | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=]{1,8192})$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [user = ''] = Buffer.from(encoded, 'base64').toString('latin1').split(':');
  try {
    return decodeURIComponent(user);
  } catch {
    return undefined;
  }
}

function subjectOf(assertion: unknown): string | undefined {
  if (typeof assertion !== 'string') return undefined;
  try {
    return decodeJwt(assertion).sub;
  } catch {
    return undefined;
  }
}

/** What became of a request for a token, when it was refused; null otherwise. */
export function refusedRequest(ctx: KoaContextWithOIDC, address: string): RefusedRequest | null {
  if (ctx.path !== '/token' || ctx.status < 400 || ctx.status >= 500) return null;
  const params = ctx.oidc?.params as { client_id?: unknown; client_assertion?: unknown } | undefined;
  const named = typeof params?.client_id === 'string' ? params.client_id : undefined;
  const client = named ?? basicUser(ctx.headers.authorization) ?? subjectOf(params?.client_assertion);
  const { error } = (ctx.body ?? {}) as { error?: unknown };
  return { address, client, error: typeof error === 'string' ? error : 'invalid_request' };
}
