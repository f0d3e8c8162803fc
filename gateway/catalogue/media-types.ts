export interface MediaType {
  /** Lower-cased `type/subtype`. */
  readonly essence: string;
  /** Lower-cased, without quotes; null when none is given. */
  readonly charset: string | null;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const MEDIA_TYPE = new RegExp(
  `^(${TOKEN}/${TOKEN})((?:[ \\t]*;[ \\t]*(?:${TOKEN}=(?:${TOKEN}|"[^"\\\\]*"))?)*)[ \\t]*$`,
);
const CHARSET = /;[ \t]*charset=("?)([^";]+)\1/i;

/** Parses a `Content-Type`; null when it is not one. */
export function parseMediaType(text: string): MediaType | null {
  if (text.length > 512) return null;
  const match = MEDIA_TYPE.exec(text.trim());
  if (match === null) return null;
  const charset = CHARSET.exec(match[2] ?? '');
  return { essence: (match[1] ?? '').toLowerCase(), charset: charset?.[2]?.trim().toLowerCase() ?? null };
}

/** JSON itself and every format built on it (RFC 6839). */
export function isJsonType(essence: string): boolean {
  return essence === 'application/json' || essence.endsWith('+json');
}

export const FORM = 'application/x-www-form-urlencoded';

export function isUtf8Charset(charset: string | null): boolean {
  return charset === null || charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii';
}

/** The declared range that fits best: the type itself, then `type/*`, then `*\/*`. */
export function bestRange<T>(ranges: ReadonlyMap<string, T>, essence: string): T | undefined {
  return (
    ranges.get(essence) ?? ranges.get(`${essence.slice(0, essence.indexOf('/'))}/*`) ?? ranges.get('*/*')
  );
}
