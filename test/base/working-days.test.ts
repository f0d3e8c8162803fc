import assert from 'node:assert/strict';
import fc from 'fast-check';
import { vietnamDay } from '../../gateway/base/calendar.js';
import {
  addWorkingDays,
  dueAt,
  endOfDay,
  isWorkingDay,
  MAX_WORKING_DAYS,
  type WorkingCalendar,
  workingTerm,
} from '../../gateway/base/working-days.js';

const DAY_MS = 86_400_000;
const EPOCH = Date.parse('2025-01-01T00:00:00Z');
const dayAt = (n: number): string => new Date(EPOCH + n * DAY_MS).toISOString().slice(0, 10);

const PLAIN: WorkingCalendar = { holidays: new Set(), workdays: new Set() };
/** 2 September 2025 is a Tuesday off; Saturday 6 September is worked. */
const SEPTEMBER: WorkingCalendar = { holidays: new Set(['2025-09-02']), workdays: new Set(['2025-09-06']) };

const days = fc.integer({ min: 0, max: 1500 }).map(dayAt);
const calendars = fc
  .tuple(fc.uniqueArray(days, { maxLength: 80 }), fc.uniqueArray(days, { maxLength: 80 }))
  .map(
    ([holidays, workdays]): WorkingCalendar => ({
      holidays: new Set(holidays),
      workdays: new Set(workdays),
    }),
  );
const counts = fc.integer({ min: 1, max: 60 });

/** Every day after `from` up to and including `to`. */
function daysAfter(from: string, to: string): string[] {
  const found: string[] = [];
  for (let at = Date.parse(from) + DAY_MS; at <= Date.parse(to); at += DAY_MS)
    found.push(new Date(at).toISOString().slice(0, 10));
  return found;
}

describe('working days', () => {
  const terms: [name: string, from: string, count: number, calendar: WorkingCalendar, end: string][] = [
    ['the day itself does not count', '2025-08-04', 1, PLAIN, '2025-08-05'],
    ['a weekend does not count', '2025-08-01', 1, PLAIN, '2025-08-04'],
    ['a term that starts on a Saturday', '2025-08-02', 2, PLAIN, '2025-08-05'],
    ['a term that starts on a Sunday', '2025-08-03', 1, PLAIN, '2025-08-04'],
    ['a day off does not count', '2025-09-01', 1, SEPTEMBER, '2025-09-03'],
    ['nor does it as the day of the event', '2025-09-02', 1, SEPTEMBER, '2025-09-03'],
    ['a Saturday that is worked counts', '2025-09-04', 2, SEPTEMBER, '2025-09-06'],
    ['the Sunday after it does not', '2025-09-04', 3, SEPTEMBER, '2025-09-08'],
    ['over the end of a year', '2025-12-31', 2, PLAIN, '2026-01-02'],
    ['over a leap day', '2028-02-28', 1, PLAIN, '2028-02-29'],
    ['no days at all', '2025-08-02', 0, PLAIN, '2025-08-02'],
    [
      'a day marked as both is a day off',
      '2025-08-01',
      1,
      { holidays: new Set(['2025-08-02']), workdays: new Set(['2025-08-02']) },
      '2025-08-04',
    ],
  ];
  for (const [name, from, count, calendar, end] of terms)
    it(name, () => assert.equal(addWorkingDays(from, count, calendar), end));

  it('names the days that were skipped, and why', () => {
    assert.deepEqual(workingTerm('2025-08-29', 2, SEPTEMBER), {
      end: '2025-09-03',
      skipped: [
        { day: '2025-08-30', reason: 'weekend' },
        { day: '2025-08-31', reason: 'weekend' },
        { day: '2025-09-02', reason: 'holiday' },
      ],
    });
  });

  it('refuse what is no count of days, and no date', () => {
    for (const count of [-1, 0.5, Number.NaN, MAX_WORKING_DAYS + 1])
      assert.throws(() => addWorkingDays('2025-08-01', count, PLAIN), RangeError, String(count));
    assert.doesNotThrow(() => addWorkingDays('2025-08-01', MAX_WORKING_DAYS, PLAIN));
    assert.throws(() => addWorkingDays('2025-13-01', 1, PLAIN), RangeError);
  });

  it('end on a working day, with exactly as many working days since', () => {
    fc.assert(
      fc.property(days, counts, calendars, (from, count, calendar) => {
        const { end, skipped } = workingTerm(from, count, calendar);
        assert.ok(isWorkingDay(end, calendar));
        const passed = daysAfter(from, end);
        assert.equal(passed.filter((day) => isWorkingDay(day, calendar)).length, count);
        assert.deepEqual(
          skipped.map(({ day }) => day),
          passed.filter((day) => !isWorkingDay(day, calendar)),
        );
      }),
    );
  });

  it('add up: a term of a + b days is a term of b days after one of a', () => {
    fc.assert(
      fc.property(days, counts, counts, calendars, (from, a, b, calendar) => {
        assert.equal(
          addWorkingDays(from, a + b, calendar),
          addWorkingDays(addWorkingDays(from, a, calendar), b, calendar),
        );
      }),
    );
  });

  it('never end earlier for a later start, or for one more day off', () => {
    fc.assert(
      fc.property(days, days, counts, calendars, (one, other, count, calendar) => {
        const [earlier, later] = one <= other ? [one, other] : [other, one];
        const end = addWorkingDays(earlier, count, calendar);
        assert.ok(end <= addWorkingDays(later, count, calendar));
        const more = { ...calendar, holidays: new Set([...calendar.holidays, other]) };
        assert.ok(end <= addWorkingDays(earlier, count, more));
      }),
    );
  });

  it('are over with the last millisecond of the day in Viet Nam', () => {
    assert.equal(endOfDay('2025-08-05'), Date.parse('2025-08-05T16:59:59.999Z'));
    const due = Date.parse('2025-08-05T16:59:59.999Z');
    // The last millisecond of Monday and the first of Tuesday, in Viet Nam.
    assert.equal(dueAt(Date.parse('2025-08-04T16:59:59.999Z'), 1, PLAIN), due);
    assert.equal(dueAt(Date.parse('2025-08-04T17:00:00.000Z'), 1, PLAIN), due + DAY_MS);
    fc.assert(
      fc.property(days, (day) => {
        assert.equal(vietnamDay(endOfDay(day)), day);
        assert.notEqual(vietnamDay(endOfDay(day) + 1), day);
      }),
    );
  });
});
