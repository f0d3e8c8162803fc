import assert from 'node:assert/strict';
import type { Recorder } from '../../gateway/audit/record.js';
import { verifierKeys, startLog } from '../audit/log.js';
import { openCheckpoint, parseVerifierKey } from '../../gateway/audit/checkpoint.js';
import { aRecord, T0 } from '../audit/records.js';
import { uuidv7 } from '../../gateway/base/ids.js';
import { engines } from '../kit/databases.js';
import { type Caller, Desk, refused } from './desk.js';

for (const engine of engines) {
  describe(`the record, read on ${engine.name}`, () => {
    let desk: Desk;
    let recorder: Recorder;
    /** Name → record id. */
    const ids: Record<string, string> = {};
    const reader = (role: Caller['roles'][number], agency = 'H35'): Caller => ({
      system: 'r',
      agency,
      roles: [role],
    });
    const search = async (caller: Caller, query = ''): Promise<string[]> => {
      const { items } = (await desk.call(caller, 'GET', `/audit/records?${query}`)).body;
      return items.map((item: { id: string }) => Object.keys(ids).find((name) => ids[name] === item.id));
    };

    before(async () => {
      desk = await Desk.open(engine);
      const early = await desk
        .call(reader('auditor'), 'GET', '/audit/checkpoint')
        .catch((error: unknown) => error);
      assert.equal((early as { code?: string }).code, 'object_not_found', 'an empty log has no head');
      recorder = await startLog(desk.test.database);
      const at = (minutes: number) => new Date(T0 + minutes * 60_000).toISOString();
      const entries = {
        call: aRecord({
          agency: 'H35.61',
          provider: 'H35.11',
          received: at(0),
          trace: 'a'.repeat(32),
          user: 'cb-01',
          case: 'HS-1',
        }),
        refused: aRecord({
          agency: 'H35.62',
          provider: 'H35.11',
          received: at(1),
          outcome: 'refused',
          code: 'grant_required',
          status: 403,
        }),
        elsewhere: aRecord({
          agency: 'H35.61',
          provider: 'H35.12',
          received: at(2),
          version: 'v2',
          operation: 'khac',
        }),
        act: aRecord({
          kind: 'act',
          plane: 'admin',
          agency: 'H35',
          received: at(3),
          target: { noun: 'system', key: 'mot-cua' },
        }),
      };
      delete (entries.act as { provider?: string }).provider;
      for (const [name, record] of Object.entries(entries)) {
        ids[name] = record.id = uuidv7(T0 + Object.keys(ids).length);
        await recorder.write(record);
      }
    });
    after(async () => {
      await recorder.close();
      await desk.close();
    });

    const all = ['act', 'elsewhere', 'refused', 'call'];
    const seen: readonly [string, Caller, readonly string[]][] = [
      ['a manager', reader('manager'), all],
      ['an operator', reader('operator'), all],
      ['an auditor', reader('auditor'), all],
      ['a provider', reader('provider', 'H35.11'), ['refused', 'call']],
      ['another provider', reader('provider', 'H35.12'), ['elsewhere']],
      ['a consumer', reader('consumer', 'H35.61'), ['elsewhere', 'call']],
      ['a consumer without calls', reader('consumer', 'H35.99'), []],
    ];
    for (const [name, caller, expected] of seen) {
      it(`shows ${name} ${expected.length} of 4`, async () => {
        assert.deepEqual(await search(caller), expected);
        for (const [record, id] of Object.entries(ids)) {
          const one = desk.call(caller, 'GET', `/audit/records/${id}`);
          if (expected.includes(record)) assert.equal((await one).body.id, id);
          else await refused(one, 'object_not_found');
        }
      });
    }

    it('lets no filter reach past what the reader may see', async () => {
      assert.deepEqual(await search(reader('consumer', 'H35.61'), 'agency=H35.62'), []);
      assert.deepEqual(await search(reader('provider', 'H35.11'), 'provider=H35.12'), []);
      const both: Caller = { system: 'x', agency: 'H35.61', roles: ['provider', 'consumer'] };
      assert.deepEqual(await search(both), [], 'it provides nothing');
      assert.deepEqual(await search(both, 'agency=H35.61'), ['elsewhere', 'call']);
      assert.deepEqual(await search(both, 'agency=H35.62'), []);
    });

    it('is closed to owners', async () => {
      await refused(desk.call(reader('owner'), 'GET', '/audit/records'), 'role_required');
      assert.equal((await desk.call(reader('owner'), 'GET', '/audit/checkpoint')).status, 200);
    });

    const filters: readonly [string, readonly string[]][] = [
      ['agency=H35.62', ['refused']],
      ['provider=H35.12', ['elsewhere']],
      ['version=v2', ['elsewhere']],
      ['operation=khac', ['elsewhere']],
      ['outcome=refused', ['refused']],
      ['code=grant_required&status=403', ['refused']],
      ['kind=act', ['act']],
      ['plane=admin', ['act']],
      ['noun=system&target=mot-cua', ['act']],
      ['user=cb-01', ['call']],
      ['case=HS-1', ['call']],
      [`trace=${'a'.repeat(32)}`, ['call']],
      ['from=2026-01-05T01:03:03Z&to=2026-01-05T01:05:03Z', ['elsewhere', 'refused']],
      ['from=2026-01-05T08:03:03%2B07:00&to=2026-01-05T01:04:03Z', ['refused']],
    ];
    for (const [query, expected] of filters)
      it(`finds by ${query}`, async () => assert.deepEqual(await search(reader('auditor'), query), expected));

    for (const query of [
      'from=yesterday',
      'limit=501',
      'cursor=abc',
      'trace=xyz',
      'outcome=lost',
      'secret=1',
      'status=99',
    ])
      it(`refuses ${query}`, async () => {
        await refused(desk.call(reader('auditor'), 'GET', `/audit/records?${query}`), 'request_invalid');
      });

    it('comes in pages', async () => {
      const first = (await desk.call(reader('auditor'), 'GET', '/audit/records?limit=3')).body;
      const second = (
        await desk.call(reader('auditor'), 'GET', `/audit/records?limit=3&cursor=${first.next}`)
      ).body;
      assert.deepEqual(
        [...first.items, ...second.items].map((item: any) => item.index),
        [3, 2, 1, 0],
      );
      assert.equal(second.next, null);
    });

    it('hands out its signed head', async () => {
      const { text, headers } = await desk.call(reader('consumer'), 'GET', '/audit/checkpoint');
      assert.equal(headers['lgsp-tree-size'], '4');
      assert.equal(openCheckpoint(text, verifierKeys.map(parseVerifierKey))?.size, 4);
    });
  });
}
