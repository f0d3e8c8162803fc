import type { Knex } from 'knex';

export interface AnsweredCallsAsk {
  readonly plane: string;
  readonly system: string;
  /** `{provider}/{slug}/v{major}` */
  readonly service: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** How many calls of each operation were answered, by the record. */
export async function answeredCalls(knex: Knex, ask: AnsweredCallsAsk): Promise<Map<string, number>> {
  const [provider, service, version] = ask.service.split('/');
  const rows = await knex('records')
    .select('operation')
    .count<{ operation: string; n: number }[]>({ n: '*' })
    .where({ system: ask.system, plane: ask.plane, provider, service, version })
    .where({ kind: 'closing', outcome: 'answered' })
    .where('received_at', '>=', ask.since)
    .groupBy('operation');
  return new Map(rows.map(({ operation, n }) => [operation, n]));
}
