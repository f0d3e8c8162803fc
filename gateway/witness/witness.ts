/** A signed head of the log. */
export interface SignedHead {
  readonly size: number;
  /** C2SP signed note. */
  readonly note: string;
}

/** What a witness gave in return, kept so that it can be shown. */
export interface Evidence {
  /** Text as it is; bytes as base64. */
  readonly form: 'text' | 'base64';
  readonly content: string;
}

/** Somebody or something outside the gateway to whom the heads of the log are shown. */
export interface Witness {
  readonly name: string;
  readonly kind: 'folder' | 'http' | 'tsa';
  /**
   * Hands over a head.
   *
   * @param seen size of the last head that it took, 0 for none
   * @throws WitnessError with a sentence that an operator can act on
   */
  show(head: SignedHead, seen: number, signal: AbortSignal): Promise<Evidence>;
}

export class WitnessError extends Error {
  override readonly name = 'WitnessError';
}
