import { vietnamDay } from '../base/calendar.js';
import { invalid } from './refusals.js';

/** The last day of an account lies ahead. @throws Problem `request_invalid` */
export function assertTerm(validTo: string | null, now: number): void {
  if (validTo === null || validTo >= vietnamDay(now)) return;
  throw invalid('/body/validTo', 'date', 'ngày cuối cùng đã qua', 'lies in the past');
}

/** An extension lengthens: whoever means to shorten locks or revokes. @throws Problem `request_invalid` */
export function assertExtends(held: string | null, validTo: string | null, now: number): void {
  assertTerm(validTo, now);
  if (held !== null && (validTo === null || validTo > held)) return;
  throw invalid(
    '/body/validTo',
    'order',
    held === null ? 'tài khoản không có thời hạn' : `phải sau ngày ${held}`,
    held === null ? 'the account has no last day' : `must be after ${held}`,
  );
}
