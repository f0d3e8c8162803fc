/**
 * Text as a search compares it: lower case, without Vietnamese tone and vowel marks, đ as d, blanks as one.
 *
 * @example fold('Sở Nội vụ  Đà Nẵng') // 'so noi vu da nang'
 */
export function fold(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll('đ', 'd')
    .replace(/\s+/g, ' ')
    .trim();
}
