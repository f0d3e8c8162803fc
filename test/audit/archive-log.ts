import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Archiving, startArchiving } from '../../gateway/audit/archive/archiving.js';
import type { Periods } from '../../gateway/audit/archive/retention.js';
import type { AuditRecord, Recorder } from '../../gateway/audit/record.js';
import { type Verification, verifyLog } from '../../gateway/audit/verify/verify.js';
import { COUNTS_WITHOUT } from '../../gateway/audit/search/series.js';
import { uuidv7 } from '../../gateway/base/ids.js';
import { createLog } from '../../gateway/base/log.js';
import { keepInstallationValue } from '../../gateway/store/installation.js';
import type { TestDatabase, TestEngine } from '../kit/databases.js';
import { addAgency } from '../kit/province.js';
import { eventually, ORIGIN, startLog, verifierKeys } from './log.js';
import { aRecord, T0 } from './records.js';

/** Twenty-six months after the old records: 2028-03-05. */
export const NOW = Date.UTC(2028, 2, 5, 1, 2, 3);
export const OLD = 1500;
export const NEW = 600;
export const SUBJECTS = ['k:citizen:a', 'k:citizen:b'];

const period = { months: 24, fileMonths: 0, legalBasis: '491-qd-ubnd' };
export const PERIODS: Periods = { calls: period, logins: period, acts: period };

/** Of every class some; every fifth call names persons. */
function recordAt(i: number, received: number): AuditRecord {
  const at = { id: uuidv7(received), received: new Date(received).toISOString() };
  if (i % 7 === 3)
    return aRecord({
      ...at,
      kind: 'act',
      plane: 'admin',
      operation: 'lockSystem',
      target: { noun: 'system', key: `s${i}` },
    });
  if (i % 11 === 5) return aRecord({ ...at, kind: 'act', plane: 'open', operation: 'issueToken' });
  return aRecord(i % 5 === 0 ? { ...at, subjects: SUBJECTS } : at);
}

/** A log of which the older part is due. */
export class ArchivedLog {
  readonly test: TestDatabase;
  readonly recorder: Recorder;
  readonly folder = mkdtempSync(join(tmpdir(), 'lgsp-archive-'));
  now = NOW;

  private constructor(test: TestDatabase, recorder: Recorder) {
    [this.test, this.recorder] = [test, recorder];
  }

  static async open(engine: TestEngine, old = OLD): Promise<ArchivedLog> {
    const test = await engine.create();
    await addAgency(test.database, 'H35');
    const recorder = await startLog(test.database);
    await keepInstallationValue(test.database.knex, 'log-origin', ORIGIN);
    const log = new ArchivedLog(test, recorder);
    await log.write(old, T0);
    await log.write(NEW, NOW - 3_600_000);
    await log.passed();
    return log;
  }

  async write(count: number, from: number): Promise<void> {
    for (let at = 0; at < count; at += 100)
      await Promise.all(
        Array.from({ length: Math.min(100, count - at) }, (_, i) =>
          this.recorder.write(recordAt(at + i, from + (at + i) * 1000)),
        ),
      );
  }

  /** Whoever follows the record has seen it all. */
  async passed(value = 1_000_000): Promise<void> {
    await this.test.database.knex('progress').whereNot({ name: COUNTS_WITHOUT }).update({ value });
  }

  start(change: Partial<Parameters<typeof startArchiving>[0]> = {}): Archiving {
    return startArchiving({
      ...{ database: this.test.database, recorder: this.recorder, clock: { now: () => this.now } },
      ...{ log: createLog('silent'), origin: ORIGIN, folder: this.folder, periods: PERIODS, encryptTo: [] },
      ...{ sinks: [], agency: 'H35', everyMs: 3_600_000, lookMs: 60_000 },
      ...change,
    });
  }

  /** One round, whatever comes of it. */
  async round(change: Partial<Parameters<typeof startArchiving>[0]> = {}): Promise<Archiving> {
    const { knex } = this.test.database;
    await knex('turns').update({ next_at: 0, leased_by: null, lease_until: null });
    const archiving = this.start(change);
    await eventually(
      async () =>
        (await knex('turns')
          .where({ name: 'log-archive' })
          .whereNull('leased_by')
          .where('next_at', '>', this.now)
          .first()) as object | undefined,
      800,
    );
    await archiving.close();
    return archiving;
  }

  verify(archive: string | null = this.folder, threads = 0): Promise<Verification> {
    return verifyLog(this.test.database, { verifierKeys, archive, threads });
  }

  async seqs(): Promise<number[]> {
    return await this.test.database.knex('records').orderBy('seq').pluck('seq');
  }

  async close(): Promise<void> {
    await this.recorder.close();
    await this.test.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
