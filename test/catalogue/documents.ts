import assert from 'node:assert/strict';
import { type Fault, Problem } from '../../gateway/base/problem.js';
import { checkDocument } from '../../gateway/catalogue/check-document.js';
import { compileContract, type Operation, type RequestInput } from '../../gateway/catalogue/contract.js';

/** A value as a JSON text would give it: tests reach into documents without saying the type at every step. */
export type Json = Record<string, ReturnType<typeof JSON.parse>>;

/** A small correct document; `change` breaks or extends it. */
export function sample(version: '3.0.3' | '3.1.0', change: (document: Json) => void = () => undefined): Json {
  const document: Json = {
    openapi: version,
    info: { title: 'Đơn vị hành chính', version: '1.0.0' },
    paths: {
      '/don-vi/{ma}': {
        get: {
          operationId: 'xem',
          parameters: [{ name: 'ma', in: 'path', required: true, schema: { type: 'string' } }],
          responses: {
            '200': {
              description: 'ok',
              content: { 'application/json': { schema: { $ref: '#/components/schemas/DonVi' } } },
            },
          },
        },
      },
      '/don-vi': {
        post: {
          operationId: 'them',
          requestBody: {
            required: true,
            content: { 'application/json': { schema: { $ref: '#/components/schemas/DonVi' } } },
          },
          responses: { '201': { description: 'created' } },
        },
      },
    },
    components: {
      schemas: {
        DonVi: {
          type: 'object',
          required: ['ma'],
          properties: {
            ma: { type: 'string' },
            con: { type: 'array', items: { $ref: '#/components/schemas/DonVi' } },
          },
        },
      },
    },
  };
  change(document);
  return document;
}

/** A document with one operation, `GET /x` or `POST /x`. */
export function single(operation: Json, version: '3.0.3' | '3.1.0' = '3.1.0', components: Json = {}): Json {
  const method = operation['requestBody'] === undefined ? 'get' : 'post';
  return {
    openapi: version,
    info: { title: 'x', version: '1.0.0' },
    paths: {
      '/x': { [method]: { operationId: 'x', responses: { default: { description: '' } }, ...operation } },
    },
    components,
  };
}

export function operationOf(document: Json): Operation {
  const [operation] = compileContract(document).operations.values();
  assert.ok(operation);
  return operation;
}

/** An operation whose request body is this schema, in a document that passes the check. */
export async function bodyOperation(
  schema: unknown,
  version: '3.0.3' | '3.1.0' = '3.1.0',
  components: Json = {},
): Promise<Operation> {
  const content = { 'application/json': { schema } };
  const document = single(
    { requestBody: { content }, responses: { 200: { description: '', content } } },
    version,
    components,
  );
  const { faults } = await checkDocument(JSON.stringify(document));
  assert.deepEqual(faults, []);
  return operationOf(document);
}

export function request(parts: Partial<RequestInput> = {}): RequestInput {
  return { params: {}, rawQuery: '', headers: {}, body: null, contentType: null, ...parts };
}

export function text(body: string): Partial<RequestInput> {
  return { body: Buffer.from(body), contentType: 'application/json' };
}

export function json(value: unknown): Partial<RequestInput> {
  return text(JSON.stringify(value));
}

export function problemOf(run: () => unknown): Problem {
  try {
    run();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  assert.fail('nothing was refused');
}

export function places(faults: readonly Fault[] | undefined | null): string[] {
  return (faults ?? []).map(({ pointer, keyword }) => `${pointer} ${keyword}`);
}

/** `ok`, or the problem's code and the place of each fault. */
export function outcome(operation: Operation, input: Partial<RequestInput>): string {
  try {
    operation.validateRequest(request(input));
    return 'ok';
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return [error.code, ...places(error.parts.errors)].join(', ');
  }
}

/** Whether a body passes as a request, and whether it passes as an answer. */
export function passes(operation: Operation, value: unknown): { request: boolean; response: boolean } {
  const answer = {
    status: 200,
    headers: {},
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify(value)),
  };
  return {
    request: outcome(operation, json(value)) === 'ok',
    response: operation.validateResponse(answer) === null,
  };
}
