import type { IncomingMessage, ServerResponse } from 'node:http';

/** One attempt of somebody to sign in to an application, from its authorization request to its end. */
export interface SignInAttempt {
  readonly uid: string;
  /** The application, by its client id. */
  readonly client: string;
  /** `ui_locales` of the request. */
  readonly language: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /**
   * Answers the request by sending the browser on; the person is signed in once it has arrived.
   *
   * @throws AttemptOver when all that is the person's was ended meanwhile
   */
  finish(person: string, methods: readonly string[]): Promise<void>;
  /** Answers the request by sending the browser back to the application, as `access_denied`. */
  giveUp(): Promise<void>;
}

/** The attempt was ended while it was being answered. */
export class AttemptOver extends Error {
  override readonly name = 'AttemptOver';
}

type Answering = (
  request: IncomingMessage,
  response: ServerResponse,
  attempt: SignInAttempt | null,
) => Promise<void>;

/** The pages that people see of the authorization server; whole documents of HTML. */
export interface SignInPages {
  /** Answers the request; null when the attempt is over, was never begun, or belongs to another browser. */
  readonly answer: Answering;
  /** Sends the browser to the other provider, or takes it back from there. */
  readonly external: Answering;
  /** @param form - an HTML form with the id `op.logoutForm`; a button of it named `logout` signs out */
  confirmSignOut(form: string, language: string | undefined): string;
  signedOut(language: string | undefined): string;
  /** An authorization request that cannot go on. @param error - its RFC 6749 code */
  failed(error: string, description: string | undefined, language: string | undefined): string;
  /** Somebody has signed out: to be recorded before they are told so. */
  ended(request: IncomingMessage, person: string, session: string): Promise<void>;
}
