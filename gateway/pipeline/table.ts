import type { Recorder } from '../audit/record.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Exchange, Stage, StageName } from '../base/exchange.js';
import type { Logger } from '../base/log.js';
import type { Catalogue } from '../catalogue/catalogue.js';
import type { Database } from '../store/database.js';
import type { SubjectDigests } from '../identity/subject-digests.js';
import type { TokenVerifier } from '../identity/token.js';
import type { AdminExchange, DataExchange, OpenExchange } from './exchanges.js';
import type { Limits } from './limits.js';
import type { ManagementApi } from './management-api.js';
import type { Quota } from './quota.js';
import type { RefusalFlood } from '../audit/refusal-flood.js';
import { stopSecretRequest } from './state-secret.js';
import { authoriseCall } from './stages/authorise-call.js';
import { authoriseRole } from './stages/authorise-role.js';
import { authoriseSandbox } from './stages/authorise-sandbox.js';
import { checkControlResponse } from './stages/check-control-response.js';
import { checkRequest } from './stages/check-request.js';
import { checkResponse } from './stages/check-response.js';
import { checkSample } from './stages/check-sample.js';
import { forward } from './stages/forward.js';
import { handleControl } from './stages/handle-control.js';
import { identify } from './stages/identify.js';
import { limitAddress } from './stages/limit-address.js';
import { limitCall, limitSandbox } from './stages/limit-call.js';
import { limitSystem } from './stages/limit-system.js';
import { makeAnswer } from './stages/make-answer.js';
import { matchControl } from './stages/match-control.js';
import { matchService } from './stages/match-service.js';
import { record, recordEnd } from './stages/record.js';
import { render } from './stages/render.js';

/** What the stages are given. */
export interface Rooms {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly catalogue: Catalogue;
  readonly tokens: TokenVerifier;
  readonly limits: Limits;
  readonly quota: Quota;
  readonly recorder: Recorder;
  /** Where receipts are read from. */
  readonly database: Database;
  readonly flood: RefusalFlood;
  readonly api: ManagementApi;
  readonly subjects: SubjectDigests;
}

export interface Corridors {
  readonly data: readonly Stage<DataExchange>[];
  readonly sandbox: readonly Stage<DataExchange>[];
  readonly admin: readonly Stage<AdminExchange>[];
  readonly open: readonly Stage<OpenExchange>[];
  /** After whatever the others did, for data, sandbox and admin: no durable record, no answer. */
  readonly record: Stage;
  /** After `release`, for an answer that was streamed: `record` wrote its opening, this its end. */
  readonly end: Stage;
  /** Where refusals go that are too many to have a record each. */
  readonly flood: RefusalFlood;
}

type Row = readonly [
  StageName,
  Stage<DataExchange> | null,
  Stage<DataExchange> | null,
  Stage<AdminExchange> | null,
  Stage<OpenExchange> | null,
];

/**
 * The only place that says the order of the doors. A row is a door; its columns are the kinds of call.
 * `record` and `release` follow for every call, whichever door ended it (`run.ts`); a streamed answer is released between
 * `record` and `end`.
 */
export function corridors(rooms: Rooms): Corridors {
  const { config } = rooms;
  const audience = (resource: string) => ({ ...rooms, audience: `${config.publicUrl}/${resource}` });
  const dataLimit = (exchange: DataExchange): number =>
    exchange.service?.manifest.requestBytes ?? config.limits.requestBytes;
  const controlLimit = (exchange: AdminExchange): number =>
    exchange.takesFile ? config.documents.attachmentBytes : CONTROL_BODY_BYTES;
  const checkData = checkRequest(dataLimit, stopSecretRequest);
  // biome-ignore format: a table reads best as a table
  const table: readonly Row[] = [
    //  door              DATA                             SANDBOX                             ADMIN                        OPEN
    ['match',          matchService(rooms, '/data/'),   matchService(rooms, '/sandbox/'),   matchControl(rooms),         null],
    ['identify',       identify(audience('data')),      identify(audience('data')),         identify(audience('api')),   null],
    ['authorise',      authoriseCall(rooms),            authoriseSandbox(rooms),            authoriseRole(rooms),        null],
    ['limit',          limitCall(rooms),                limitSandbox(rooms),                limitSystem(rooms),          limitAddress(rooms)],
    ['check-request',  checkData,                       checkData,                          checkRequest(controlLimit),  null],
    ['forward',        forward(rooms),                  makeAnswer(),                       handleControl(rooms),        render()],
    ['check-response', checkResponse(rooms),            checkSample(),                      checkControlResponse(rooms), null],
  ];
  return {
    data: assertOrder('data', present(table.map((row) => row[1]))),
    sandbox: assertOrder('sandbox', present(table.map((row) => row[2]))),
    admin: assertOrder('admin', present(table.map((row) => row[3]))),
    open: assertOrder('open', present(table.map((row) => row[4]))),
    record: record(rooms),
    end: recordEnd(rooms),
    flood: rooms.flood,
  };
}

/** A service's document is the largest thing the management API takes: 2 MB, and room for its JSON escapes. */
const CONTROL_BODY_BYTES = 4_194_304;

function present<S>(stages: readonly (S | null)[]): S[] {
  return stages.filter((stage): stage is S => stage !== null);
}

/** @throws Error when a door needs what no earlier door gives */
export function assertOrder<X extends Exchange>(
  name: string,
  stages: readonly Stage<X>[],
): readonly Stage<X>[] {
  const given = new Set<string>();
  for (const stage of stages) {
    const missing = stage.needs.filter((need) => !given.has(need));
    if (missing.length > 0)
      throw new Error(`${name}: ${stage.name} needs ${missing.join(', ')} and nobody gave it`);
    for (const gift of stage.gives) given.add(gift);
  }
  return stages;
}
