import type { Knex } from 'knex';
import type { Clock } from '../../base/clock.js';
import { findCalendarDay, putCalendarDay } from '../../store/calendar.js';
import { changing } from '../../store/changes.js';
import type { Database } from '../../store/database.js';
import { findLegalBasis, insertLegalBasis } from '../../store/legal-bases.js';
import { isUniqueViolation } from '../../store/unique.js';
import { FIRST_DAYS } from './days.js';
import { FIRST_DOCUMENTS } from './documents.js';

const MARK = 'first-facts';

async function fillDocuments(trx: Knex.Transaction, now: number): Promise<void> {
  const dates = { created_at: now, updated_at: now };
  for (const { basis, clauses } of FIRST_DOCUMENTS) {
    if ((await findLegalBasis(trx, basis.id)) !== undefined) continue;
    await insertLegalBasis(trx, { ...basis, ...dates }, clauses);
    await trx('changes').insert({ noun: 'legal_basis', key: basis.id, at: now });
  }
}

async function fillDays(trx: Knex.Transaction, now: number): Promise<void> {
  const dates = { created_at: now, updated_at: now };
  for (const day of FIRST_DAYS)
    if ((await findCalendarDay(trx, day.day)) === undefined) await putCalendarDay(trx, { ...day, ...dates });
}

/**
 * Enters, once in the life of an installation, the documents and days off that are known to all of them. What is
 * there already stays, and what an administrator changes or removes afterwards stays changed and removed. Of nodes
 * that start together exactly one does it.
 */
export async function fillRegistry(database: Database, clock: Clock): Promise<void> {
  if ((await database.knex('installation').where({ name: MARK }).first('name')) !== undefined) return;
  const now = clock.now();
  try {
    await changing(database, { noun: 'calendar_day', key: MARK, at: now }, async (trx) => {
      // Writing first takes SQLite's lock before anything is read; whoever comes second meets the unique key.
      await trx('installation').insert({ name: MARK, value: new Date(now).toISOString() });
      await fillDocuments(trx, now);
      await fillDays(trx, now);
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
  }
}
