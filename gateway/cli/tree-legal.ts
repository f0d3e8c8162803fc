import { z } from 'zod';
import { CALENDAR_DAY_KINDS } from '../store/calendar.js';
import { LEGAL_KINDS } from '../store/legal-bases.js';

const ClauseSchema = z.strictObject({
  id: z.string(),
  label: z.string(),
  summary: z.string(),
  validFrom: z.iso.date().optional(),
  validTo: z.iso.date().optional(),
});

const LegalBasisSchema = z.strictObject({
  id: z.string(),
  number: z.string(),
  title: z.string(),
  issuer: z.string(),
  kind: z.enum(LEGAL_KINDS),
  issuedOn: z.iso.date().optional(),
  validFrom: z.iso.date().optional(),
  validTo: z.iso.date().optional(),
  amendedBy: z.string().optional(),
  replacedBy: z.string().optional(),
  url: z.string().optional(),
  note: z.string().optional(),
  clauses: z.array(ClauseSchema).default([]),
});

const CalendarDaySchema = z.strictObject({
  day: z.iso.date(),
  kind: z.enum(CALENDAR_DAY_KINDS),
  name: z.string(),
  legalBasis: z.string().optional(),
});

/** `legal-bases.yaml` and `calendar.yaml` of a folder. */
export const LegalBasesSchema = z.array(LegalBasisSchema);
export const CalendarSchema = z.array(CalendarDaySchema);

export type TreeLegalBasis = z.infer<typeof LegalBasisSchema>;
export type TreeCalendarDay = z.infer<typeof CalendarDaySchema>;
