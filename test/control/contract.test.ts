import assert from 'node:assert/strict';
import { AGENCY_CODE, SLUG } from '../../gateway/catalogue/manifest.js';
import { ROLES } from '../../gateway/store/systems.js';
import { AGENCY_LEVELS } from '../../gateway/store/agencies.js';
import { embedded } from '../kit/databases.js';
import { Desk, document, operations } from './desk.js';

const schemas = document['components'].schemas;

/** Every object schema that a request can contain, by where it stands. */
function requestObjects(node: any, at: string, found: [string, any][] = []): [string, any][] {
  if (typeof node !== 'object' || node === null) return found;
  if (node.type === 'object') found.push([at, node]);
  for (const [name, part] of Object.entries(node)) requestObjects(part, `${at}/${name}`, found);
  return found;
}

/** What everybody may change: only what is their own. */
const PERSONAL = new Set([
  ...['markNoticeRead', 'markAllNoticesRead', 'changeMyPassword', 'endMySession'],
  ...['createSearch', 'updateSearch', 'deleteSearch'],
]);

/** Changes nothing: a question whose subject must not stand in an address. */
const ASKING = new Set(['searchSubject', 'reportSubject']);

describe('the contract of the management API', () => {
  it('and the handlers name the same operations', async () => {
    const desk = await Desk.open(embedded);
    try {
      const inContract = operations.map(({ operationId }) => operationId).sort();
      assert.deepEqual(Object.keys(desk.handlers).sort(), inContract);
      assert.equal(new Set(inContract).size, inContract.length);
    } finally {
      await desk.close();
    }
  });

  for (const { operationId, roles, template, method, responses } of operations) {
    it(`says who may call ${operationId}, and how a refusal looks`, () => {
      assert.ok(Array.isArray(roles) && roles.length > 0);
      for (const role of roles) assert.ok((ROLES as readonly string[]).includes(role), `${role} is a role`);
      const source = document['paths'][template][method.toLowerCase()];
      for (const part of ['summary', 'description']) assert.ok(source[part]?.length > 5, part);
      assert.ok(source.tags.length === 1);
      assert.ok(responses['default']?.content?.['application/problem+json'] !== undefined);
    });
  }

  it('takes nothing in a request that it does not name', () => {
    // A manifest has a schema of its own, a JWK may carry members that are to be ignored, credentials and fields are maps.
    const open = /\/(manifest|jwk|document|credentials|fields)(\/oneOf\/\d)?$/;
    for (const operation of operations) {
      const content = operation.body?.content['application/json']?.schema;
      const objects = requestObjects(content, operation.operationId).filter(
        ([at]) =>
          !/\/(example|enum)\b/.test(at) &&
          !/\/(manifest|jwk|document|credentials)\//.test(at.replace(/\/oneOf\/\d$/, '')),
      );
      for (const [at, schema] of objects)
        if (!open.test(at)) assert.equal(schema.additionalProperties, false, `${at} is closed`);
    }
  });

  it('pages every list alike', () => {
    const lists = operations.filter(({ operationId }) => operationId.startsWith('list'));
    assert.ok(lists.length >= 5);
    for (const { operationId, parameters, responses } of lists) {
      const limit = parameters.find(({ name }) => name === 'limit')?.schema as any;
      assert.deepEqual([limit?.minimum, limit?.maximum, limit?.default], [1, 500, 50], operationId);
      assert.ok(
        parameters.some(({ name }) => name === 'cursor'),
        operationId,
      );
      const schema = responses['200']?.content?.['application/json']?.schema as any;
      assert.deepEqual(
        [...schema.required].filter((name) => name !== 'unread').sort(),
        ['items', 'next'],
        operationId,
      );
    }
  });

  it('has the same names and codes as the code', () => {
    // No lookahead in the contract, whose patterns run in a linear engine: its length is a keyword of its own.
    const { pattern, maxLength } = schemas.AgencyCode;
    for (const code of ['H35', 'H35.11', 'h35', 'H35.', '.H35', 'H35..1', 'A'.repeat(35), 'A'.repeat(36), ''])
      assert.equal(new RegExp(pattern).test(code) && code.length <= maxLength, AGENCY_CODE.test(code), code);
    assert.equal(document['components'].parameters.slug.schema.pattern, SLUG.source);
    assert.deepEqual(schemas.AgencyLevel.enum, [...AGENCY_LEVELS]);
    assert.deepEqual(schemas.Role.enum, [...ROLES]);
  });

  it('gives owners and auditors no operation that changes something of others', () => {
    for (const { operationId, method, roles } of operations)
      if (method !== 'GET' && !PERSONAL.has(operationId) && !ASKING.has(operationId))
        assert.ok(!roles.includes('owner') && !roles.includes('auditor'), operationId);
  });
});
