import assert from 'node:assert/strict';
import { addAgency, addService, type ServiceOptions } from '../kit/province.js';
import { openPortal } from './open-portal.js';

const param = (name: string, where: 'path' | 'query', more: object) => ({ name, in: where, ...more });
const api = (path: string, ...parameters: object[]) => ({
  openapi: '3.1.0',
  info: { title: 'x', version: '1' },
  paths: { [path]: { get: { operationId: 'read', parameters, responses: { '200': { description: 'x' } } } } },
});

const ma = param('ma', 'path', { required: true, schema: { type: 'string' }, example: 'a b/c' });
const q = param('q', 'query', { schema: { type: 'string', default: 'so noi vu' } });
const p = param('page', 'query', { schema: { type: 'integer' }, example: 1 });
const unknown = param('x', 'query', { required: true, schema: { type: 'string' } });

const NONE = 'https://lgsp.example/data/H35.…/…/v1/…';
const at = (rest: string): string => `https://lgsp.example/data/H35.11/thu/v1${rest}`;

const cases: readonly [string, ServiceOptions, string][] = [
  ['a path without parameters', { document: api('/tt') }, at('/tt')],
  ['an encoded path parameter', { document: api('/dv/{ma}', ma) }, at('/dv/a%20b%2Fc')],
  ['the first query parameter with an example', { document: api('/dv', q, p) }, at('/dv?q=so+noi+vu')],
  ['nothing where an example is missing', { document: api('/dv', unknown) }, NONE],
  ['nothing of a special-request service', { document: api('/tt'), sharing: 'special' }, NONE],
  ['nothing of a suspended service', { document: api('/tt'), state: 'suspended' }, NONE],
  ['nothing of a document that cannot be read', { document: 'nonsense' }, NONE],
];

describe('portal/quick-start', () => {
  for (const [what, service, address] of cases) {
    it(`shows ${what}`, async () => {
      const portal = await openPortal(async (database) => {
        await addAgency(database, 'H35.11');
        await addService(database, 'http://127.0.0.1:9', service);
      });
      try {
        const page = await portal.page('/docs/');
        assert.ok(page.includes(`curl -s &#39;${address.replaceAll('&', '&amp;')}&#39;`), address);
      } finally {
        await portal.close();
      }
    });
  }
});
