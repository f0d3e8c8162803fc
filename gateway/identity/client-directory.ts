import type { JsonWebKey } from 'node:crypto';

/** A system as the authorization server sees it. */
export interface OAuthClient {
  readonly id: string;
  /** Code of the agency it belongs to. */
  readonly agency: string;
  readonly name: string;
  readonly roles: readonly string[];
  /** A locked system still gets tokens: each of its calls is then refused with the reason, and recorded. */
  readonly state: 'active' | 'locked' | 'revoked';
  /** Whether it may ask from this address. */
  mayCallFrom(address: string): boolean;
  /** Those that are valid now; a system may hold several of each kind. */
  readonly credentials: readonly ClientCredential[];
}

export type ClientCredential =
  | {
      readonly id: string;
      readonly kind: 'secret';
      /** Hexadecimal SHA-256 of the secret. */
      readonly secretSha256: string;
    }
  | {
      readonly id: string;
      readonly kind: 'key';
      /** EC P-256, RSA of at least 2048 bits, or Ed25519. */
      readonly publicJwk: JsonWebKey & { readonly kid?: string };
    }
  | {
      readonly id: string;
      readonly kind: 'certificate';
      /** `x5t#S256`. */
      readonly thumbprint: string;
    };

/** Where the authorization server asks for its clients, at every authentication. */
export interface ClientDirectory {
  find(clientId: string): Promise<OAuthClient | undefined>;
}
