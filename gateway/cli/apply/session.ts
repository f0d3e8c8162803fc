import type { JWK } from 'jose';
import type { ApiAnswer, ManagementApi } from '../api.js';
import { CommandFailure } from '../failure.js';
import { refusal } from '../refused.js';

export type Action = 'created' | 'updated' | 'unchanged';

export interface AppliedRow {
  readonly noun: 'agency' | 'system' | 'service' | 'legal_basis' | 'calendar_day';
  readonly key: string;
  readonly action: Action;
  /** What was done, in order; empty when unchanged. */
  readonly steps: readonly string[];
}

/** A credential that exists nowhere but here: the gateway keeps only what verifies it. */
export type MadeCredential =
  | { readonly id: string; readonly agency: string; readonly auth: 'secret'; readonly secret: string }
  | { readonly id: string; readonly agency: string; readonly auth: 'key'; readonly jwk: JWK };

export interface ApplyOptions {
  /** Says what would be done, and does none of it. */
  readonly dryRun?: boolean;
  /** Sends the credentials of every service again; their stored values cannot be compared. */
  readonly refreshCredentials?: boolean;
  /** False: fails before a credential is made that nobody would keep. */
  readonly mayMakeCredentials?: boolean;
  /** Told of each credential the moment it exists, so that a later failure cannot lose it. */
  readonly onCredential?: (credential: MadeCredential) => void;
}

export interface ApplyResult {
  readonly rows: readonly AppliedRow[];
  readonly credentials: readonly MadeCredential[];
}

/** One change that would bring an object nearer to what the files say. */
export interface Step {
  readonly name: string;
  run(): Promise<unknown>;
}

/** One run of `apply`: what it may do, and what it did. */
export class Session {
  readonly #api: ManagementApi;
  readonly options: ApplyOptions;
  readonly rows: AppliedRow[] = [];
  readonly credentials: MadeCredential[] = [];

  constructor(api: ManagementApi, options: ApplyOptions) {
    this.#api = api;
    this.options = options;
  }

  /** What is there, or null. */
  async find<T>(path: string): Promise<T | null> {
    const answer = await this.#api.request('GET', path);
    if (answer.status === 404) return null;
    return this.#accepted(`GET ${path}`, answer) as T;
  }

  /** @throws CommandFailure with the refusal and every fault it names */
  async send(what: string, method: string, path: string, body?: unknown): Promise<unknown> {
    return this.#accepted(what, await this.#api.request(method, path, body));
  }

  #accepted(what: string, answer: ApiAnswer): unknown {
    if (answer.status >= 400) throw refusal(what, answer);
    return answer.body;
  }

  assertMayMake(id: string): void {
    if (this.options.mayMakeCredentials !== false) return;
    throw new CommandFailure(
      `${id} needs a new credential: say with --credentials-out FILE where it shall be kept`,
      2,
    );
  }

  keep(credential: MadeCredential): void {
    this.credentials.push(credential);
    this.options.onCredential?.(credential);
  }

  /** Does the steps, unless this is a dry run, and notes them. */
  async carryOut(
    noun: AppliedRow['noun'],
    key: string,
    isNew: boolean,
    steps: readonly Step[],
  ): Promise<void> {
    if (this.options.dryRun !== true) for (const step of steps) await step.run();
    const action = isNew ? 'created' : steps.length === 0 ? 'unchanged' : 'updated';
    this.rows.push({ noun, key, action, steps: steps.map(({ name }) => name) });
  }
}
