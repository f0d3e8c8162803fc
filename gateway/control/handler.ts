import type { Act, AnswerStream } from '../base/exchange.js';
import type { RecordReader } from '../audit/search/reader.js';
import type { Bilingual, Fault } from '../base/problem.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { PublishedService } from '../catalogue/published-service.js';
import type { AttachmentStore } from '../store/attachments.js';
import type { Database } from '../store/database.js';
import type { PostNotice } from './provider-notice.js';

/** A call of the management API that passed every door: authenticated, allowed by role, valid by `openapi.yaml`. */
export interface ControlCall {
  readonly operationId: string;
  readonly path: Readonly<Record<string, string>>;
  /** Coerced to the types of the contract. */
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  /** A body that is no JSON, byte for byte. */
  readonly file?: { readonly bytes: Buffer; readonly type: string };
  readonly caller: {
    readonly system: string;
    readonly agency: string;
    readonly roles: readonly string[];
    /** The person who signed in, when the token is a person's. */
    readonly user?: string;
    readonly session?: string;
  };
}

export interface ControlResult {
  readonly status: number;
  /** JSON; a string or bytes are sent as they are, with `content-type` among the headers; absent for 204. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of `body`, with `content-type` among the headers: bytes that are made while they leave. */
  readonly stream?: AnswerStream;
  /** What changed, or what was looked for, for the record; secrets never appear here. */
  readonly act?: Act;
  /** Digests of whom it concerns, for the record. */
  readonly subjects?: readonly string[];
}

export type ControlHandler = (call: ControlCall) => Promise<ControlResult>;

/** Operation id of `openapi.yaml` → its handler. */
export type ControlHandlers = Readonly<Record<string, ControlHandler>>;

/** The outcome of checking a manifest and its document; `faults` is empty when it could be published. */
export interface ServiceCheck {
  readonly ok: boolean;
  readonly faults: readonly Fault[];
  readonly warnings?: readonly Fault[];
  readonly manifest?: unknown;
  readonly operations?: readonly {
    readonly id: string;
    readonly method: string;
    readonly template: string;
  }[];
}

/** How passwords are made and compared. */
export interface PasswordKeeper {
  /** One to be changed at its first use. */
  temporary(): string;
  /** Argon2id, in PHC form. */
  hash(plain: string): Promise<string>;
  /** What is wrong with one that somebody chose. */
  faults(
    plain: string,
    owner: { readonly id: string; readonly name: string; readonly email: string | null },
  ): Bilingual[];
  isOneOf(hashes: readonly string[], plain: string): Promise<boolean>;
  /** One guess, counted as those of the sign-in page are. @returns until when guessing is locked, if it is */
  check(
    person: string,
    stored: string | null,
    plain: string,
  ): Promise<{ readonly right: boolean; readonly lockedUntil: number | null }>;
}

/** The settings that the rules of the control plane turn on. */
export type ControlConfig = Pick<
  Config,
  | 'accounts'
  | 'documents'
  | 'limits'
  | 'sharing'
  | 'people'
  | 'record'
  | 'grantReview'
  | 'verification'
  | 'retention'
>;
/** What the rooms of the control plane are given. They reach nothing else. */
export interface ControlContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly config: ControlConfig;
  /** Where sealed segments of the log are; null: nothing is sealed. */
  readonly archiveFolder: string | null;
  readonly attachments: AttachmentStore;
  /** A service as callers meet it now, by `{provider}/{slug}/v{major}`. */
  published(id: string): PublishedService | undefined;
  /** Whether the source of a published service answers now. */
  probe(id: string): Promise<{ readonly ok: boolean; readonly detail?: string }>;
  readonly passwords: PasswordKeeper;
  /** Names that a person or a system must not have: those of the applications in which people sign in. */
  readonly reservedNames: ReadonlySet<string>;
  /** Seals a credential of a service for storage. */
  seal(serviceId: string, name: string, plain: string): string;
  /** Checks a manifest with its document; `credentialNames` are those already stored or sent along. */
  checkService(
    manifest: unknown,
    document: string,
    credentialNames: readonly string[],
  ): Promise<ServiceCheck>;
  /** What the channels of notices need of other rooms. */
  readonly channels: {
    /** Seals the secret of a webhook for storage. */
    seal(channelId: string, plain: string): string;
    /** Whether the egress allow-list lets the gateway call there now. */
    mayCall(url: URL): Promise<boolean>;
    /** Whether there is a mail server. */
    readonly mail: boolean;
  };
  /** Reads the record apart from everything else; on the connection of everything else where none is given. */
  readonly records?: RecordReader;
  /** A keyed digest of whom or what a search was for; the record leaves it out where none is given. */
  readonly digestTerm?: (text: string) => string;
  /** Keyed digests of persons: as new records name them, and as any record may. */
  readonly subjects: {
    of(kind: string, identifier: string): string;
    allOf(kind: string, identifier: string): string[];
  };
  /** Makes this node see a change at once; other nodes follow within a second. */
  refresh(): Promise<void>;
  /** False: who made a revision may publish it too. Whatever is not said is strict. */
  readonly fourEyes?: boolean;
  /** Posts what a provider is told, in the transaction of what it tells of. The record names it in any case. */
  readonly postNotice?: PostNotice;
}
