import type { JWK } from 'jose';
import type { ApiAnswer, ManagementApi } from '../api.js';
import { CommandFailure } from '../failure.js';
import { refusal } from '../refused.js';

export type Action = 'created' | 'updated' | 'unchanged';

export interface AppliedRow {
  readonly noun: string;
  readonly key: string;
  readonly action: Action;
  /** What was done, in order; empty when unchanged. */
  readonly steps: readonly string[];
  /** True: what was saved is not in force before a manager publishes it. */
  readonly waiting?: true;
}

/** A credential that exists nowhere but here: the gateway keeps only what verifies it. */
export type MadeCredential =
  | { readonly id: string; readonly agency: string; readonly auth: 'secret'; readonly secret: string }
  | { readonly id: string; readonly agency: string; readonly auth: 'key'; readonly jwk: JWK }
  /** Of a person: the temporary one. */
  | { readonly id: string; readonly agency: string; readonly auth: 'password'; readonly password: string }
  /** What the messages of a webhook are signed with. */
  | { readonly id: string; readonly agency: string; readonly auth: 'webhook'; readonly secret: string };

export interface ApplyOptions {
  /** Says what would be done, and does none of it. */
  readonly dryRun?: boolean;
  /** Sends the credentials of every service again; their stored values cannot be compared. */
  readonly refreshCredentials?: boolean;
  /** False: fails before a credential is made that nobody would keep. */
  readonly mayMakeCredentials?: boolean;
  /** The management API in the name of another client, for steps that are that client's alone to take. */
  readonly actAs?: (clientId: string) => Actor | undefined;
  /** Told of each credential the moment it exists, so that a later failure cannot lose it. */
  readonly onCredential?: (credential: MadeCredential) => void;
}

/** A client whose own steps `apply` may take. */
export interface Actor extends ManagementApi {
  /** Calls a data service, e.g. in the sandbox. @returns the status */
  call(path: string): Promise<number>;
}

export interface ApplyResult {
  readonly rows: readonly AppliedRow[];
  readonly credentials: readonly MadeCredential[];
}

/** What a step says that was not done because it is for somebody else to decide; what follows it waits too. */
export const WAITING = Symbol('waiting');

/** One change that would bring an object nearer to what the files say. */
export interface Step {
  readonly name: string;
  run(): Promise<unknown>;
}

/** Whether a refusal means that another person must decide, rather than that nobody can. */
function isForAnother({ status, body }: ApiAnswer, hasApprover: boolean): boolean {
  const { code } = (body ?? {}) as { code?: unknown };
  return status === 403 && (code === 'own_decision' || (code === 'role_required' && !hasApprover));
}

/** One run of `apply`: what it may do, and what it did. */
export class Session {
  readonly #api: ManagementApi;
  readonly #approver: ManagementApi | undefined;
  readonly options: ApplyOptions;
  readonly rows: AppliedRow[] = [];
  readonly credentials: MadeCredential[] = [];

  constructor(api: ManagementApi, options: ApplyOptions, approver?: ManagementApi) {
    this.#api = api;
    this.#approver = approver;
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

  /** The same in the name of another client. */
  async sendAs(client: string, what: string, method: string, path: string, body?: unknown): Promise<unknown> {
    return this.#accepted(what, await this.#actor(client, what).request(method, path, body));
  }

  /** What another client finds; whoever runs this looks where that client cannot be acted for yet. */
  async findAs(client: string, path: string): Promise<unknown> {
    const actor = this.options.actAs?.(client);
    return actor === undefined
      ? await this.find(path)
      : this.#accepted(`GET ${path}`, await actor.request('GET', path));
  }

  /** A call that a system makes to see whether it works. */
  async tryOut(client: string, path: string): Promise<void> {
    const status = await this.#actor(client, path).call(path);
    if (status >= 400) throw new CommandFailure(`${client} called ${path} and was answered ${status}`);
  }

  #actor(client: string, what: string): Actor {
    const actor = this.options.actAs?.(client);
    if (actor !== undefined) return actor;
    throw new CommandFailure(`${what} is for ${client} to do: give its credential with --act-as FILE`, 2);
  }

  /** The same for what a manager decides: by the approver, where there is one. */
  async decide(what: string, path: string, body?: unknown): Promise<unknown> {
    return this.#accepted(what, await (this.#approver ?? this.#api).request('POST', path, body));
  }

  /** Publishes, or says that this waits for a manager other than the one who saved. */
  async publish(what: string, path: string): Promise<unknown> {
    const answer = await (this.#approver ?? this.#api).request('POST', path);
    return isForAnother(answer, this.#approver !== undefined) ? WAITING : this.#accepted(what, answer);
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
    const done: string[] = [];
    let waiting = false;
    for (const step of steps) {
      waiting = this.options.dryRun !== true && (await step.run()) === WAITING;
      if (waiting) break;
      done.push(step.name);
    }
    const action = isNew ? 'created' : done.length === 0 ? 'unchanged' : 'updated';
    this.rows.push({ noun, key, action, steps: done, ...(waiting ? { waiting } : {}) });
  }
}
