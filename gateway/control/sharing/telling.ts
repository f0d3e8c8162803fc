import type { Knex } from 'knex';
import type { Bilingual } from '../../base/problem.js';
import { agenciesWithRole } from '../../store/systems.js';
import { postNotice } from '../../store/notices.js';
import type { Parties } from './parties.js';
import type { Side } from './transitions.js';

interface News {
  readonly kind: string;
  readonly noun: string;
  readonly key: string;
  readonly title: Bilingual;
  readonly text: Bilingual;
  readonly at: number;
  readonly dedupe?: string;
}

/** Tells the other side, or both where neither did it. */
export async function tellParties(trx: Knex, parties: Parties, by: Side, news: News): Promise<void> {
  const told = new Set<string>();
  for (const side of ['consumer', 'provider'] as const) {
    const agency = parties[side];
    if (side === by || told.has(agency)) continue;
    told.add(agency);
    const dedupe = news.dedupe === undefined ? {} : { dedupe: `${news.dedupe} ${side}` };
    await postNotice(trx, { ...news, agency, role: side, ...dedupe });
  }
}

/** Tells those who hold a role, wherever they are. */
export async function tellRole(trx: Knex, role: 'manager' | 'operator', news: News): Promise<void> {
  for (const agency of await agenciesWithRole(trx, role)) {
    const dedupe = news.dedupe === undefined ? {} : { dedupe: `${news.dedupe} ${agency}` };
    await postNotice(trx, { ...news, agency, role, ...dedupe });
  }
}
