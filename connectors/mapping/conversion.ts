import { z } from 'zod';
import { MappingFault } from './fault.js';
import { fold } from '../../gateway/base/fold.js';

/** A value that has been looked for and is not there; unlike null, which is a value. */
export const MISSING = Symbol('missing');

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

/** Vietnam has kept UTC+7 without summer time since 1975; a source's times carry no offset of their own. */
const VN_OFFSET_MS = 7 * 3_600_000;

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  throw new MappingFault();
}

function checkedDate(year: number, month: number, day: number): string {
  const date = new Date(Date.UTC(year, month - 1, day));
  if (year < 1000 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) throw new MappingFault();
  return `${pad(year, 4)}-${pad(month)}-${pad(day)}`;
}

function parts(pattern: RegExp, value: unknown): number[] {
  const found = pattern.exec(text(value).trim());
  if (found === null) throw new MappingFault();
  return found.slice(1).map(Number);
}

function vnDate(value: unknown): string {
  const [year = 0, month = 0, day = 0] = parts(/^(\d{4})(\d{2})(\d{2})$/, value);
  return checkedDate(year, month, day);
}

function vnDatetime(value: unknown): string {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts(
    /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/,
    value,
  );
  if (hour > 23 || minute > 59 || second > 59) throw new MappingFault();
  return `${checkedDate(year, month, day)}T${pad(hour)}:${pad(minute)}:${pad(second)}+07:00`;
}

function dmyDate(value: unknown): string {
  const [day = 0, month = 0, year = 0] = parts(/^(\d{1,2})\/(\d{1,2})\/(\d{4})$/, value);
  return checkedDate(year, month, day);
}

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?([Zz]|[+-]\d{2}:\d{2}))?$/;

/** The parts of a moment as a clock in Hà Nội shows them; a plain date stays that date. */
function localParts(value: unknown): { date: string; time: string } {
  const found = RFC3339.exec(text(value).trim());
  if (found === null) throw new MappingFault();
  const [, year, month, day, hour, minute, second, offset] = found;
  const date = checkedDate(Number(year), Number(month), Number(day));
  if (offset === undefined) return { date, time: '00:00:00' };
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) throw new MappingFault();
  const time = Date.parse(`${date}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}${offset.toUpperCase()}`);
  if (Number.isNaN(time)) throw new MappingFault();
  const local = new Date(time + VN_OFFSET_MS).toISOString();
  return { date: local.slice(0, 10), time: local.slice(11, 19) };
}

function toVnDatetime(value: unknown): string {
  const { date, time } = localParts(value);
  return date.replaceAll('-', '') + time.replaceAll(':', '');
}

function toDmyDate(value: unknown): string {
  const [year = '', month = '', day = ''] = localParts(value).date.split('-');
  return `${day}/${month}/${year}`;
}

const TRUE = new Set(['true', '1']);
const FALSE = new Set(['false', '0']);

function boolean(value: unknown): boolean {
  const word = text(value).trim().toLowerCase();
  if (TRUE.has(word)) return true;
  if (FALSE.has(word)) return false;
  throw new MappingFault();
}

function number(value: unknown): number {
  const word = text(value).trim();
  if (typeof value === 'boolean' || !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(word))
    throw new MappingFault();
  const found = Number(word);
  if (!Number.isFinite(found)) throw new MappingFault();
  return found;
}

/** Refuses what a JavaScript number cannot hold exactly: a changed identifier is worse than none. */
function integer(value: unknown): number {
  const found = number(value);
  if (!Number.isSafeInteger(found)) throw new MappingFault();
  return found;
}

const likeLiteral = (value: unknown): string => text(value).replace(/[\\%_]/g, '\\$&');

function uriEncode(value: unknown): string {
  try {
    return encodeURIComponent(text(value));
  } catch {
    throw new MappingFault();
  }
}

/** Each way of changing one value. Null and missing values pass by them all, but for `array`. */
const CONVERSIONS = {
  'vn-datetime': vnDatetime,
  'to-vn-datetime': toVnDatetime,
  'vn-date': vnDate,
  'to-vn-date': (value: unknown) => localParts(value).date.replaceAll('-', ''),
  'compact-date': (value: unknown) => localParts(value).date.replaceAll('-', ''),
  'dmy-date': dmyDate,
  'to-dmy-date': toDmyDate,
  boolean,
  'to-boolean-text': (value: unknown) => (boolean(value) ? 'True' : 'False'),
  number,
  integer,
  string: text,
  array: (value: unknown) => (Array.isArray(value) ? (value as unknown[]) : [value]),
  trim: (value: unknown) => text(value).trim(),
  'empty-to-null': (value: unknown) => (typeof value === 'string' && value.trim() === '' ? null : value),
  fold: (value: unknown) => fold(text(value)),
  'like-contains': (value: unknown) => `%${likeLiteral(value)}%`,
  'like-prefix': (value: unknown) => `${likeLiteral(value)}%`,
  'uri-encode': uriEncode,
} as const satisfies Record<string, (value: unknown) => unknown>;

export type ConversionName = keyof typeof CONVERSIONS;
export const CONVERSION_NAMES = Object.keys(CONVERSIONS) as [ConversionName, ...ConversionName[]];

export const ConversionSchema = z.enum(CONVERSION_NAMES);
/** One conversion, or several from left to right. */
export const ConversionsSchema = z.union([ConversionSchema, z.array(ConversionSchema).max(8)]);
export type Conversions = z.infer<typeof ConversionsSchema>;

export function isConversion(name: string): name is ConversionName {
  return Object.hasOwn(CONVERSIONS, name);
}

/**
 * Applies conversions from left to right.
 *
 * @throws MappingFault, never naming the value, when one does not apply
 */
export function convert(value: unknown, conversions: readonly ConversionName[]): unknown {
  let current = value;
  for (const name of conversions) {
    if (current === MISSING || current === undefined || current === null) {
      if (name === 'array') current = [];
      continue;
    }
    try {
      current = CONVERSIONS[name](current);
    } catch (error) {
      throw error instanceof MappingFault ? error.of(name) : error;
    }
  }
  return current;
}

export function conversionList(as: Conversions | undefined): readonly ConversionName[] {
  if (as === undefined) return [];
  return typeof as === 'string' ? [as] : as;
}
