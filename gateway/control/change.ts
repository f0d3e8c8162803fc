import type { Knex } from 'knex';
import type { ChangeKind, ChangeRequestRow } from '../store/change-requests.js';
import type { ServiceRow } from '../store/services.js';
import type { ControlCall } from './handler.js';

/** What somebody asks a second person to agree to, about one service. */
export interface AskedChange {
  readonly kind: ChangeKind;
  readonly document?: string;
  /** `service.publish`: which revision; the latest unless told. */
  readonly revision?: number;
  /** `service.access`: for how long. */
  readonly minutes?: number;
}

/** What an approval did, for the record; `approved` where something is still to follow. */
export interface ChangeEffect {
  readonly state: 'approved' | 'done';
  readonly before: unknown;
  readonly after: unknown;
}

/** The content of a service before and after a change, for whoever decides. */
export interface Comparison {
  /** The manifest in force when it was asked; null where there was none. */
  readonly before: unknown;
  readonly after: unknown;
  readonly documentChanged: boolean;
}

/** One kind of change, as the room of the thing that is changed carries it out. */
export interface ChangeExecutor {
  /**
   * Pins down what exactly is asked for.
   *
   * @throws Problem when it could not be done now either
   */
  pin(
    trx: Knex.Transaction,
    service: ServiceRow,
    asked: AskedChange,
    caller: ControlCall['caller'],
  ): Promise<Readonly<Record<string, unknown>>>;
  /**
   * What is slow, before the transaction. What it returns is run inside of it, and looks again at everything that
   * may have changed meanwhile.
   */
  prepare(
    request: ChangeRequestRow,
    approver: ControlCall['caller'],
  ): Promise<(trx: Knex.Transaction, at: number) => Promise<ChangeEffect>>;
  compare?(knex: Knex, request: ChangeRequestRow): Promise<Comparison | undefined>;
}

/** The kinds that do something at approval. Another kind is only agreed to, and marked done when somebody did it. */
export type ChangeExecutors = Readonly<Partial<Record<ChangeKind, ChangeExecutor>>>;

/** Takes a service off the default list, in the transaction of the review that decides it. @returns it as it is now */
export type TakeOffList = (trx: Knex, row: ServiceRow, actor: string, at: number) => Promise<ServiceRow>;
