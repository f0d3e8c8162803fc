/** What a verified token says. Whether its client may still act is asked of the catalogue, on every call. */
export interface VerifiedToken {
  readonly clientId: string;
  /** Of the issuer's word; a trusted issuer's says none. */
  readonly agency: string | null;
  /** The person who signed in, and in which session, when the token is a person's. */
  readonly user?: string;
  readonly session?: string;
  /** `jti`. */
  readonly tokenId: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Id of the key or secret with which the client got the token, where that is known. */
  readonly keyId?: string;
  /** What the token is bound to, and its sender has proved to hold: `jkt:…`, `x5t#S256:…`. */
  readonly boundTo?: string;
  /** For the answer's `DPoP-Nonce`: what the next proof should carry. */
  readonly nextNonce?: string;
}
