import type { Outcome, Plane } from '../base/exchange.js';

/**
 * A record as it is written: the leaf of the log is the RFC 8785 form of this object, so a field that is absent
 * is left out, never null. Never holds payloads, query values, secrets or tokens.
 */
export interface AuditRecord {
  /** Form of the record; raised when the meaning of a field changes. */
  v: 1;
  /** UUIDv7. The closing record of a call has the id that its answer names in `Lgsp-Record`. */
  id: string;
  /** opening: before something is changed at a source · closing: how an attempt ended · act: the platform's own doing. */
  kind: 'opening' | 'closing' | 'act';
  plane: Plane | 'system';
  /** Id of the opening record that this one closes. */
  opening?: string;
  /** RFC 3339, UTC, milliseconds. */
  received: string;
  released?: string;
  sourceMs?: number;

  agency?: string;
  system?: string;
  user?: string;
  case?: string;
  address?: string;
  tokenId?: string;
  keyId?: string;
  /** What the token was bound to, and its sender held: `jkt:…`, `x5t#S256:…`. */
  boundTo?: string;

  provider?: string;
  service?: string;
  version?: string;
  operation?: string;
  sharing?: string;
  method?: string;
  /** The path template. */
  path?: string;
  grant?: string;
  /** Where a grant narrows the answer: which of the approved fields left. */
  disclosed?: readonly string[];

  /**
   * Whose data it concerns, as `{key id}:{kind}:{keyed digest}`: sorted, each once, never the identifier itself.
   */
  subjects?: readonly string[];
  /** How many more there were than a record holds; at least 1 where an answer could not be looked into. */
  subjectsLeftOut?: number;

  outcome?: Outcome;
  stage?: string;
  code?: string;
  /** Of a refused token: in which way it was wrong, e.g. `issuer`, `key`, `signature`. */
  reason?: string;
  /** What a refused token says of itself, where that is an identifier: nothing of it is proved. */
  claimed?: { client?: string; issuer?: string; kid?: string };
  status?: number;
  success?: boolean;

  bytesIn?: number;
  bytesOut?: number;
  /** Base64url SHA-256 of the bodies. */
  requestSha256?: string;
  responseSha256?: string;
  trace?: string;
  node?: string;

  /** What an act changed; values are digested or left out where they are secret. */
  target?: { noun: string; key: string; before?: unknown; after?: unknown };
}

/** Where a record stands in the log. */
export interface Recorded {
  id: string;
  /** Index of the leaf, from 0. */
  index: number;
  /** Leaves in the tree after the batch that holds it. */
  treeSize: number;
}

/** The sole way into the log. */
export interface Recorder {
  /**
   * Resolves when the record is durable.
   *
   * @throws Problem `record_unavailable` when that cannot be confirmed: release nothing. Almost always the record
   *   was not and never will be written; where its commit was under way, it may be, and then an act
   *   `withhold-answer` that names it follows
   * @throws Problem `overloaded` when too many records wait already
   */
  write(record: AuditRecord): Promise<Recorded>;
  /** Records waiting for the disk. */
  readonly waiting: number;
  /** Waits for what is under way, then closes. */
  close(): Promise<void>;
}
