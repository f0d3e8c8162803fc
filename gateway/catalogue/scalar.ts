import { isUntyped, type Types } from './schema-types.js';

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

function numberOf(text: string, types: Types): number | string {
  if (!NUMBER.test(text)) return text;
  const value = Number(text);
  if (!Number.isFinite(value)) return text;
  // Where a text is allowed too, only a number that reads back the same may stand for it: `1.0` and `1e3` stay texts.
  if (types.has('string') && String(value) !== text) return text;
  // A whole number that a double cannot hold exactly would reach the source changed: left as text, its type refuses it.
  const changed = Number.isInteger(value) && !Number.isSafeInteger(value) && !/[.eE]/.test(text);
  return changed ? text : value;
}

/**
 * The value that a parameter's text stands for under the types its schema admits; the text itself where it stands for
 * nothing else, so that the schema refuses it. Done here and not by Ajv's `coerceTypes`: that reads `""` as 0 or null,
 * and a keyword beside a `$ref` would see the text from before.
 */
export function coerce(text: string, types: Types): unknown {
  if (isUntyped(types)) return text;
  if ((text === 'true' || text === 'false') && types.has('boolean')) return text === 'true';
  return types.has('integer') || types.has('number') ? numberOf(text, types) : text;
}
