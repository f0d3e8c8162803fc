import type { Format } from 'ajv';
import { fullFormats } from 'ajv-formats/dist/formats.js';

/** Texts in a checked format are short; the expressions behind some formats are not safe on long ones. */
const MAX_FORMATTED = 8192;

const CHECKED = [
  'date',
  'time',
  'date-time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uri-reference',
  'uri-template',
  'uuid',
  'json-pointer',
  'relative-json-pointer',
  'regex',
] as const;

/** Formats of OpenAPI that say nothing a check could fail on. */
export const SILENT_FORMATS: ReadonlySet<string> = new Set(['float', 'double', 'password', 'binary']);

function accepts(format: Format, text: string): boolean {
  if (format === true) return true;
  if (format instanceof RegExp) return format.test(text);
  if (typeof format === 'function') return format(text);
  const { validate } = format as { validate: RegExp | ((text: string) => boolean) };
  return validate instanceof RegExp ? validate.test(text) : validate(text);
}

function isBase64Code(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x2f && code <= 0x39) ||
    code === 0x2b
  );
}

/** Padded base64; a loop, because an expression over megabytes exhausts the engine's stack. */
function isBase64(text: string): boolean {
  if (text.length % 4 !== 0) return false;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  for (let i = 0; i < text.length - padding; i += 1) if (!isBase64Code(text.charCodeAt(i))) return false;
  return true;
}

function withinBits(bits: number): (value: number) => boolean {
  const bound = 2 ** (bits - 1);
  return (value) => Number.isInteger(value) && value >= -bound && value < bound;
}

/** Every format that a schema may name and that is held against the data. */
export const FORMATS: Readonly<Record<string, Format>> = {
  ...Object.fromEntries(
    CHECKED.map((name) => [
      name,
      (text: string) => text.length <= MAX_FORMATTED && accepts(fullFormats[name], text),
    ]),
  ),
  byte: isBase64,
  int32: { type: 'number', validate: withinBits(32) },
  int64: { type: 'number', validate: withinBits(64) },
};

export function isKnownFormat(name: string): boolean {
  return Object.hasOwn(FORMATS, name) || SILENT_FORMATS.has(name);
}
