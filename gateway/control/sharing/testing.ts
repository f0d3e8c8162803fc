import { answeredCalls } from '../../audit/answered-calls.js';
import { changing } from '../../store/changes.js';
import { addTest, findRequest, type RequestRow } from '../../store/sharing-requests.js';
import { actorOf } from '../actor.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { wrongTransition } from '../refusals.js';
import { contentOf } from './content.js';
import { mustSeeRequest, sideFor } from './parties.js';
import { detailsOf } from './views.js';

interface TestCheck {
  readonly check: 'source' | 'sandbox' | 'fields';
  readonly operation: string | null;
  readonly ok: boolean;
  readonly detail: string;
}

/** That the receiving system has tried each operation in the sandbox, that the source answers, and that the fields exist. */
async function checksOf(context: ControlContext, row: RequestRow): Promise<TestCheck[]> {
  const { operations, fields } = contentOf(row);
  const probe = await context.probe(row.service_id);
  const checks: TestCheck[] = [
    {
      check: 'source',
      operation: null,
      ok: probe.ok,
      detail: probe.ok ? 'nguồn dữ liệu trả lời' : 'nguồn dữ liệu không trả lời',
    },
  ];
  const tried = await answeredCalls(context.database.knex, {
    plane: 'sandbox',
    system: row.system_id,
    service: row.service_id,
    since: row.state_since,
  });
  for (const operation of operations) {
    const calls = tried.get(operation) ?? 0;
    const detail =
      calls > 0
        ? `đã gọi thử ${calls} lần ở môi trường thử nghiệm`
        : `hệ thống ${row.system_id} chưa gọi thử ở /sandbox/${row.service_id}`;
    checks.push({ check: 'sandbox', operation, ok: calls > 0, detail });
    const contract = context.published(row.service_id)?.contract.operations.get(operation);
    const astray = contract?.fieldsAstray(fields?.[operation] ?? []) ?? [operation];
    const named = astray.length === 0 ? 'các trường đều có trong cấu trúc công bố' : astray.join(', ');
    checks.push({ check: 'fields', operation, ok: astray.length === 0, detail: named });
  }
  return checks;
}

export async function runTest(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const key = call.path['id'] ?? '';
  const known = await mustSeeRequest(database.knex, key, call.caller);
  sideFor(call.caller, known, {
    sides: ['consumer', 'provider', 'platform'],
    roles: { consumer: ['consumer'], provider: ['provider'], platform: ['manager', 'operator'] },
  });
  const assertTesting = (row: RequestRow): void => {
    if (row.state === 'testing') return;
    throw wrongTransition('sharing_request', { id: key, state: row.state, since: row.state_since }, 'test');
  };
  assertTesting(known);
  const checks = await checksOf(context, known);
  const passed = checks.every(({ ok }) => ok);
  const now = clock.now();
  const row = await changing(database, { noun: 'sharing_request', key, at: now }, async (trx) => {
    const request = (await findRequest(trx, key)) ?? known;
    assertTesting(request);
    await addTest(trx, {
      request_id: key,
      at: now,
      actor: actorOf(call.caller),
      passed,
      checks: JSON.stringify(checks),
    });
    return request;
  });
  return {
    status: 200,
    body: await detailsOf(context, row, call.caller),
    act: { noun: 'sharing_request', key, before: null, after: { test: { passed, checks } } },
  };
}
