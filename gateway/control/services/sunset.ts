import { derivedUuid } from '../../base/ids.js';
import { systemAct } from '../../audit/system-act.js';
import { changing } from '../../store/changes.js';
import { oweRecord } from '../../store/owed-records.js';
import { findService, type ServiceRow, sunkServices, updateService } from '../../store/services.js';
import type { ControlContext } from '../handler.js';
import { retiredNews, tellConsumers } from './telling.js';
import { serviceView } from './views.js';

type Parts = Pick<ControlContext, 'database' | 'refresh'>;

async function retire({ database }: Parts, { id, sunset_at: at }: ServiceRow, now: number): Promise<void> {
  await changing(database, { noun: 'service', key: id, at: now }, async (trx) => {
    const row = await findService(trx, id);
    // Another node came first, or the end was moved meanwhile.
    if (row === undefined || row.sunset_at !== at || at == null || row.state === 'retired') return;
    const patch: Partial<ServiceRow> = {
      ...{ state: 'retired', state_since: at, state_by: 'manager', updated_at: now },
      state_reason: row.deprecation_reason ?? null,
    };
    await updateService(trx, id, patch);
    await tellConsumers(trx, row, retiredNews(row), now);
    const before = serviceView(row, true);
    const after = serviceView({ ...row, ...patch }, true);
    const target = { noun: 'service', key: id, before, after };
    const act = { operation: 'retireService', outcome: 'answered', target } as const;
    await oweRecord(trx, systemAct(now, act, derivedUuid(`sunset:${id}:${at}`)));
  });
}

/** Retires what has come to its last day. Calls were refused from that moment on, whenever this looks. */
export async function retireSunk(parts: Parts, now: number): Promise<void> {
  const sunk = await sunkServices(parts.database.knex, now);
  for (const row of sunk) await retire(parts, row, now);
  if (sunk.length > 0) await parts.refresh();
}
