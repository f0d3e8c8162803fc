import type { Knex } from 'knex';
import * as catalogue from './0001-catalogue.js';
import * as identity from './0002-identity.js';
import * as record from './0003-record.js';
import * as fourEyes from './0012-four-eyes.js';

interface Step {
  readonly name: string;
  up(knex: Knex): Promise<void>;
  down(knex: Knex): Promise<void>;
}

const STEPS: readonly Step[] = [
  { name: '0001-catalogue', ...catalogue },
  { name: '0002-identity', ...identity },
  { name: '0003-record', ...record },
  { name: '0012-four-eyes', ...fourEyes },
];

/** The numbered steps, imported rather than read from a folder so that a build cannot lose one. */
export const migrationSource: Knex.MigrationSource<Step> = {
  getMigrations: () => Promise.resolve([...STEPS]),
  getMigrationName: (step) => step.name,
  getMigration: (step) => Promise.resolve(step),
};
