import type { Knex } from 'knex';
import * as catalogue from './0001-catalogue.js';
import * as identity from './0002-identity.js';
import * as record from './0003-record.js';
import * as documents from './0004-documents.js';
import * as legalBasis from './0005-legal-basis.js';
import * as sharing from './0006-sharing.js';
import * as people from './0007-people.js';
import * as boundTokens from './0008-bound-tokens.js';
import * as notices from './0009-notices.js';
import * as changeGate from './0010-change-gate.js';
import * as systemAccess from './0011-system-access.js';
import * as fourEyes from './0012-four-eyes.js';
import * as noticesKept from './0013-notices-kept.js';
import * as agencyDocuments from './0015-agency-documents.js';
import * as recordSearch from './0018-record-search.js';
import * as watch from './0019-watch.js';
import * as subjectLedger from './0020-subject-ledger.js';
import * as witnesses from './0021-witnesses.js';
import * as logWatch from './0022-log-watch.js';
import * as logArchive from './0023-log-archive.js';
import * as monthlyPartitions from './0024-monthly-partitions.js';
import * as recordEntries from './0025-record-entries.js';

interface Step {
  readonly name: string;
  up(knex: Knex): Promise<void>;
  down(knex: Knex): Promise<void>;
}

const STEPS: readonly Step[] = [
  { name: '0001-catalogue', ...catalogue },
  { name: '0002-identity', ...identity },
  { name: '0003-record', ...record },
  { name: '0004-documents', ...documents },
  { name: '0005-legal-basis', ...legalBasis },
  { name: '0006-sharing', ...sharing },
  { name: '0007-people', ...people },
  { name: '0008-bound-tokens', ...boundTokens },
  { name: '0009-notices', ...notices },
  { name: '0010-change-gate', ...changeGate },
  { name: '0011-system-access', ...systemAccess },
  { name: '0012-four-eyes', ...fourEyes },
  { name: '0013-notices-kept', ...noticesKept },
  { name: '0015-agency-documents', ...agencyDocuments },
  { name: '0018-record-search', ...recordSearch },
  { name: '0019-watch', ...watch },
  { name: '0020-subject-ledger', ...subjectLedger },
  { name: '0021-witnesses', ...witnesses },
  { name: '0022-log-watch', ...logWatch },
  { name: '0023-log-archive', ...logArchive },
  { name: '0024-monthly-partitions', ...monthlyPartitions },
  { name: '0025-record-entries', ...recordEntries },
];

/** The numbered steps, imported rather than read from a folder so that a build cannot lose one. */
export const migrationSource: Knex.MigrationSource<Step> = {
  getMigrations: () => Promise.resolve([...STEPS]),
  getMigrationName: (step) => step.name,
  getMigration: (step) => Promise.resolve(step),
};
