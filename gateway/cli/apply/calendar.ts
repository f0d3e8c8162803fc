import type { TreeCalendarDay } from '../tree-legal.js';
import type { Session } from './session.js';

interface DayBody {
  readonly kind: string;
  readonly name: string;
  readonly legalBasis: string | null;
}

type Listed = DayBody & { readonly day: string };

/** The days that are entered already, of every year that the files speak of. */
async function entered(session: Session, days: readonly TreeCalendarDay[]): Promise<Map<string, Listed>> {
  const years = new Set(days.map(({ day }) => day.slice(0, 4)));
  const found: Listed[] = [];
  for (const year of years) {
    const page = await session.find<{ items: Listed[] }>(`/calendar/days?year=${year}&limit=500`);
    found.push(...(page?.items ?? []));
  }
  return new Map(found.map((one) => [one.day, one]));
}

/** Brings the calendar to what the files say. Days that they do not name stay as they are. */
export async function applyCalendar(session: Session, days: readonly TreeCalendarDay[]): Promise<void> {
  const known = await entered(session, days);
  for (const { day, kind, name, legalBasis } of days) {
    const wanted: DayBody = { kind, name: name.normalize('NFC').trim(), legalBasis: legalBasis ?? null };
    const now = known.get(day);
    const fields = (['kind', 'name', 'legalBasis'] as const).filter(
      (field) => now?.[field] !== wanted[field],
    );
    const run = () => session.send(`calendar day ${day}`, 'PUT', `/calendar/days/${day}`, wanted);
    const step = { name: now === undefined ? 'create' : fields.join(', '), run };
    await session.carryOut('calendar_day', day, now === undefined, fields.length === 0 ? [] : [step]);
  }
}
