import { randomBytes } from 'node:crypto';
import knexModule from 'knex';

/** A schema of its own, so that what is measured meets nothing else. */
export async function createSchema(url: string): Promise<{ url: string; drop(): Promise<void> }> {
  const schema = `lgsp_bench_${randomBytes(6).toString('hex')}`;
  const admin = knexModule.knex({ client: 'pg', connection: url });
  await admin.raw('CREATE SCHEMA ??', [schema]);
  const scoped = new URL(url);
  scoped.searchParams.set('options', `-c search_path=${schema}`);
  return {
    url: scoped.href,
    async drop() {
      await admin.raw('DROP SCHEMA ?? CASCADE', [schema]);
      await admin.destroy();
    },
  };
}
