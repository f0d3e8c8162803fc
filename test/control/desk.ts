import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import formatsModule from 'ajv-formats';
import { parse } from 'yaml';
import { createEgress } from '../../connectors/allow-list.js';
import { checkConnector } from '../../connectors/registry.js';
import type { Act } from '../../gateway/base/exchange.js';
import { loadConfig } from '../../gateway/base/config.js';
import { Problem, PROBLEMS } from '../../gateway/base/problem.js';
import { checkService } from '../../gateway/catalogue/check.js';
import type { ApiAnswer, ManagementApi } from '../../gateway/cli/api.js';
import type { ControlCall, ControlContext, ControlHandlers } from '../../gateway/control/handler.js';
import { SubjectDigests } from '../../gateway/identity/subject-digests.js';
import { mayCall } from '../../gateway/outbox/webhook.js';
import { createControl } from '../../gateway/control/index.js';
import { passwordKeeper } from '../../gateway/wiring/password-keeper.js';
import { openAttachments } from '../../gateway/store/attachments.js';
import { insertAgency } from '../../gateway/store/agencies.js';
import { findSystem, insertCredential, insertSystem, type Role } from '../../gateway/store/systems.js';
import { makeSecret } from '../../gateway/control/systems/credentials.js';
import type { TestDatabase, TestEngine } from '../kit/databases.js';
import { addPaper } from '../kit/province.js';

const addFormats = formatsModule.default;

export type Caller = ControlCall['caller'];

interface Media {
  readonly schema?: object;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required?: boolean;
  readonly schema: object;
}

export interface ContractOperation {
  readonly operationId: string;
  readonly method: string;
  readonly template: string;
  readonly roles: readonly Role[];
  readonly parameters: readonly Parameter[];
  readonly body: { readonly required?: boolean; readonly content: Readonly<Record<string, Media>> } | null;
  readonly responses: Readonly<Record<string, { content?: Record<string, Media> }>>;
}

export const document = parse(readFileSync('openapi.yaml', 'utf8')) as Record<string, any>;

/** Schemas in place of their `$ref`s: the document holds no circle. */
function inlined(node: any): any {
  if (Array.isArray(node)) return node.map(inlined);
  if (typeof node !== 'object' || node === null) return node;
  if (typeof node.$ref === 'string')
    return inlined(
      node.$ref
        .slice(2)
        .split('/')
        .reduce((at: any, part: string) => at[part], document),
    );
  return Object.fromEntries(Object.entries(node).map(([name, part]) => [name, inlined(part)]));
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

function readOperations(): ContractOperation[] {
  return Object.entries(document['paths'] as Record<string, any>).flatMap(([template, item]) =>
    Object.entries(item as Record<string, any>)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]) => ({
        operationId: operation.operationId,
        method: method.toUpperCase(),
        template,
        roles: operation['x-roles'],
        parameters: inlined([...(item.parameters ?? []), ...(operation.parameters ?? [])]),
        body: operation.requestBody === undefined ? null : inlined(operation.requestBody),
        responses: inlined(operation.responses),
      })),
  );
}

export const operations: readonly ContractOperation[] = readOperations();

const options = { strict: false, allErrors: true } as const;
const bodies = addFormats(new Ajv(options));
const queries = addFormats(new Ajv({ ...options, coerceTypes: true }));
const compiled = new WeakMap<object, ReturnType<Ajv['compile']>>();

/** What of a value breaks a schema of the contract, in Ajv's words. */
function faultsOf(ajv: Ajv, schema: object, value: unknown): string | null {
  let validate = compiled.get(schema);
  if (validate === undefined) compiled.set(schema, (validate = ajv.compile(schema)));
  return validate(value) ? null : ajv.errorsText(validate.errors);
}

function match(method: string, path: string): [ContractOperation, Record<string, string>] {
  for (const operation of operations) {
    if (operation.method !== method) continue;
    const names = [...operation.template.matchAll(/\{(\w+)\}/g)].map((found) => found[1] as string);
    const form = new RegExp(`^${operation.template.replace(/\{\w+\}/g, '([^/]+)')}$`);
    const values = form.exec(path);
    // A fixed path before a template of the same length, as OpenAPI asks.
    if (
      values === null ||
      (names.length > 0 && operations.some((o) => o.method === method && o.template === path))
    )
      continue;
    return [
      operation,
      Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(values[i + 1] as string)])),
    ];
  }
  throw new Problem('operation_not_found');
}

const querySchemas = new WeakMap<ContractOperation, object>();

function querySchema(operation: ContractOperation): object {
  const known = querySchemas.get(operation);
  if (known !== undefined) return known;
  const parameters = operation.parameters.filter((parameter) => parameter.in === 'query');
  const schema = {
    type: 'object',
    additionalProperties: false,
    required: parameters.filter(({ required }) => required === true).map(({ name }) => name),
    properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, schema])),
  };
  querySchemas.set(operation, schema);
  return schema;
}

function malformed(where: string, faults: string | null): void {
  if (faults === null) return;
  throw new Problem('request_invalid', { detail: { vi: faults, en: `${where}: ${faults}` } });
}

function assertRequest(
  operation: ContractOperation,
  path: Record<string, string>,
  query: object,
  body: unknown,
): void {
  for (const parameter of operation.parameters.filter((one) => one.in === 'path'))
    malformed(parameter.name, faultsOf(queries, parameter.schema, path[parameter.name]));
  malformed('query', faultsOf(queries, querySchema(operation), query));
  const schema = operation.body?.content['application/json']?.schema;
  if (schema !== undefined) malformed('body', faultsOf(bodies, schema, body));
}

function assertResponse(
  operation: ContractOperation,
  status: number,
  type: string | null,
  body: unknown,
): void {
  const promised = operation.responses[String(status)];
  if (promised === undefined)
    throw new Error(`${operation.operationId} answered ${status}, which is not promised`);
  const media = type === null ? undefined : promised.content?.[type];
  if (body === undefined ? promised.content !== undefined : media === undefined)
    throw new Error(`${operation.operationId} answered ${type ?? 'nothing'}, which is not promised`);
  const faults = media?.schema === undefined ? null : faultsOf(bodies, media.schema, body);
  if (faults !== null) throw new Error(`${operation.operationId} broke its contract: ${faults}`);
}

const egress = createEgress({ addresses: ['127.0.0.1'], folders: [] });
const results = new Map<string, ReturnType<typeof checkService>>();

/** The gateway's own check. It starts a thread each time, so that the same content is checked once in a run. */
const checkedOnce: ControlContext['checkService'] = (manifest, text, credentialNames) => {
  const key = JSON.stringify([manifest, text, credentialNames]);
  const known = results.get(key);
  if (known !== undefined) return known;
  const result = checkService({
    manifest,
    document: text,
    checkConnector: ({ connector, operations: bound, success }, facts) =>
      checkConnector({ ...connector, operations: bound, success, facts }, { egress, credentialNames }),
  });
  results.set(key, result);
  return result;
};

const DAY = 86_400_000;

const subjectKey = {
  kid: 'k',
  secret: Buffer.alloc(32, 3).toString('base64url'),
  signsFrom: 0,
  verifiesUntil: null,
};
const subjects = new SubjectDigests({ subjectKey: () => subjectKey, subjectKeys: () => [subjectKey] });

/** The management API without its doors: the contract and the handlers, on a real database, with a held clock. */
export class Desk {
  readonly test: TestDatabase;
  readonly handlers: ControlHandlers;
  readonly acts: (Act & { operationId: string })[] = [];
  readonly sealed: string[] = [];
  now = Date.parse('2025-08-01T02:00:00Z');
  /** One administrator does everything, unless a test is about that. */
  readonly fourEyes: boolean;

  private constructor(test: TestDatabase, fourEyes: boolean) {
    this.test = test;
    this.fourEyes = fourEyes;
    this.handlers = createControl(this.context());
  }

  /** With the province's agency H35 and an administrator, so that there is somebody to act. */
  static async open(engine: TestEngine, { fourEyes = false } = {}): Promise<Desk> {
    const desk = new Desk(await engine.create(), fourEyes);
    await desk.agency('H35', 'Ủy ban nhân dân tỉnh Lai Châu', 'province');
    await desk.system('admin', 'H35', ['operator', 'manager']);
    await addPaper(desk.test.database, 'H35');
    return desk;
  }

  context(database = this.test.database): ControlContext {
    return {
      database,
      clock: { now: () => this.now },
      config: loadConfig({}),
      archiveFolder: null,
      attachments: openAttachments(join(this.test.dataDir, 'attachments')),
      passwords: passwordKeeper({ database, clock: { now: () => this.now }, config: loadConfig({}) }),
      reservedNames: new Set(['console']),
      seal: (service, name, plain) => {
        this.sealed.push(`${service}#${name}`);
        return `sealed(${Buffer.from(plain).reverse().toString('base64url')})`;
      },
      channels: {
        seal: (id, plain) => {
          this.sealed.push(`channel ${id}`);
          return `sealed(${Buffer.from(plain).reverse().toString('base64url')})`;
        },
        mayCall: (url) => mayCall(egress, url),
        mail: true,
      },
      checkService: checkedOnce,
      refresh: () => Promise.resolve(),
      subjects,
      published: () => undefined,
      probe: () => Promise.resolve({ ok: false }),
      fourEyes: this.fourEyes,
    };
  }

  async agency(
    code: string,
    name: string,
    level: 'province' | 'department' | 'commune' = 'department',
  ): Promise<void> {
    const dates = { created_at: this.now, updated_at: this.now };
    const span = { valid_from: '2021-01-01', valid_to: null };
    await insertAgency(this.test.database.knex, {
      code,
      alias: null,
      name,
      level,
      parent_code: null,
      ...span,
      ...dates,
    });
  }

  async system(id: string, agency: string, roles: readonly Role[]): Promise<Caller> {
    const { knex } = this.test.database;
    const at = this.now - DAY;
    await insertSystem(knex, {
      id,
      agency_code: agency,
      name: id,
      roles: JSON.stringify(roles),
      state: 'active',
      state_since: at,
      state_reason: null,
      limit_calls: null,
      limit_seconds: null,
      created_at: at,
      updated_at: at,
    });
    await insertCredential(knex, makeSecret(id, at).row);
    return { system: id, agency, roles };
  }

  async caller(id: string): Promise<Caller> {
    const row = await findSystem(this.test.database.knex, id);
    if (row === undefined) throw new Error(`no system ${id}`);
    return { system: row.id, agency: row.agency_code, roles: JSON.parse(row.roles) as Role[] };
  }

  /**
   * One call: matched, allowed by role and held against the contract on its way in and out, as the corridor does.
   *
   * @throws Problem as the handler, or the contract, refuses
   */
  async call(caller: Caller, method: string, target: string, sent?: unknown, handlers = this.handlers) {
    const url = new URL(target, 'http://desk');
    const [operation, path] = match(method, url.pathname);
    if (!caller.roles.some((role) => (operation.roles as readonly string[]).includes(role)))
      throw new Problem('role_required');
    const query: Record<string, unknown> = Object.fromEntries(url.searchParams);
    const body: unknown = sent === undefined ? null : JSON.parse(JSON.stringify(sent));
    assertRequest(operation, path, query, body);
    const handler = handlers[operation.operationId];
    if (handler === undefined) throw new Error(`no handler for ${operation.operationId}`);
    const result = await handler({ operationId: operation.operationId, path, query, body, caller });
    if (result.act !== undefined) this.acts.push({ ...result.act, operationId: operation.operationId });
    const declared = result.headers?.['content-type'] ?? 'application/json';
    const type = result.body === undefined ? null : (declared.split(';')[0] as string);
    const text =
      typeof result.body === 'string'
        ? result.body
        : result.body === undefined
          ? ''
          : JSON.stringify(result.body);
    const parsed: any = text === '' ? undefined : type === 'application/json' ? JSON.parse(text) : text;
    assertResponse(operation, result.status, type, parsed);
    return { status: result.status, body: parsed, text, headers: result.headers ?? {} };
  }

  /** The same as the port that `lgsp apply` works through: refusals become answers. */
  api(caller: Caller): ManagementApi {
    return {
      request: async (method, path, body): Promise<ApiAnswer> => {
        try {
          const { status, body: found, text } = await this.call(caller, method, path, body);
          return { status, body: found ?? null, text };
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
          const detail = (error.parts.detail ?? PROBLEMS[error.code].title).en;
          const problem = {
            code: error.code,
            title: error.code,
            status: error.status,
            detail,
            errors: error.parts.errors,
          };
          return { status: error.status, body: problem, text: JSON.stringify(problem) };
        }
      },
    };
  }

  async close(): Promise<void> {
    await this.test.drop();
  }
}

/** Expects a refusal, and gives it. */
export async function refused(work: Promise<unknown>, code: string): Promise<Problem> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem && error.code === code) return error;
    throw error;
  }
  throw new Error(`expected ${code}, and it was answered`);
}

export const DOCUMENT = `openapi: 3.0.3
info: { title: Đơn vị hành chính, version: 1.0.0 }
paths:
  /don-vi:
    get:
      operationId: traCuu
      responses:
        '200':
          description: Kết quả
          content:
            application/json:
              schema: { type: object, properties: { ten: { type: string } } }
`;

export function manifestOf(provider: string, slug: string, more: object = {}): Record<string, any> {
  return {
    provider,
    slug,
    version: '1.0.0',
    title: 'Đơn vị hành chính',
    sharing: 'default',
    classification: 'open',
    connector: { kind: 'http', settings: { baseUrl: 'http://127.0.0.1:9' } },
    operations: { traCuu: {} },
    ...more,
  };
}
