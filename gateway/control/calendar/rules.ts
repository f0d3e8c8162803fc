import type { Knex } from 'knex';
import { isWeekend } from '../../base/working-days.js';
import type { CalendarDayRow } from '../../store/calendar.js';
import { findLegalBasis } from '../../store/legal-bases.js';
import { invalid } from '../refusals.js';

/** @throws Problem `request_invalid` when a day that is worked anyway is entered as a swap day */
export function assertKindFits({ day, kind }: Pick<CalendarDayRow, 'day' | 'kind'>): void {
  if (kind === 'holiday' || isWeekend(day)) return;
  throw invalid(
    '/body/kind',
    'weekend',
    'ngày làm bù phải là thứ Bảy hoặc Chủ nhật',
    'only a Saturday or a Sunday can be a swap day',
  );
}

/** @throws Problem `request_invalid` when the registry of legal bases has no such document or clause */
export async function assertBasisKnown(knex: Knex, ref: string | null): Promise<void> {
  if (ref === null || (await findLegalBasis(knex, ref)) !== undefined) return;
  throw invalid(
    '/body/legalBasis',
    'exists',
    'không có căn cứ pháp lý này trong danh mục',
    'the registry has no such legal basis',
  );
}
