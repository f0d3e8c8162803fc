import type { CalendarDayRow } from '../../store/calendar.js';

/**
 * The days off with a date that is the same every year. Tết, Giỗ Tổ Hùng Vương, the second day of Quốc khánh, days
 * in lieu and swap days are decided or computed year by year: an administrator enters those.
 */
const FIXED: readonly (readonly [monthDay: string, name: string])[] = [
  ['01-01', 'Tết Dương lịch'],
  ['04-30', 'Ngày Chiến thắng'],
  ['05-01', 'Ngày Quốc tế lao động'],
  ['09-02', 'Quốc khánh'],
];

const YEARS = [2025, 2026, 2027];
/** Labour Code 45/2019/QH14, the article on public holidays. */
const BASIS = '45-2019-qh14#d112';

export const FIRST_DAYS: readonly Omit<CalendarDayRow, 'created_at' | 'updated_at'>[] = YEARS.flatMap(
  (year) =>
    FIXED.map(([monthDay, name_vi]) => ({
      day: `${year}-${monthDay}`,
      kind: 'holiday' as const,
      name_vi,
      legal_basis: BASIS,
    })),
);
