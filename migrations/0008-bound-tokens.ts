import type { Knex } from 'knex';

/** Systems that accept no token that is bound to nothing, and certificates as credentials. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('systems', (t) => {
    t.boolean('require_bound').notNullable().defaultTo(false);
  });
  await knex.schema.alterTable('system_credentials', (t) => {
    // base64url of the SHA-256 digest of the certificate in DER (x5t#S256); the certificate itself is not needed.
    t.string('certificate_sha256', 64);
    t.text('certificate_subject');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex('system_credentials').where({ kind: 'certificate' }).delete();
  await knex.schema.alterTable('system_credentials', (t) => {
    t.dropColumn('certificate_subject');
    t.dropColumn('certificate_sha256');
  });
  await knex.schema.alterTable('systems', (t) => {
    t.dropColumn('require_bound');
  });
}
