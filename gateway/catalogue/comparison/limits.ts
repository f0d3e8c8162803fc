import { member } from '../json-tree.js';
import type { Changes } from './findings.js';
import type { Pair } from './pair.js';

const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties', 'minContains'];
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties', 'maxContains'];

/** A bound as a number; 3.0 says `exclusiveMinimum: true` beside `minimum`. */
function boundOf(schema: unknown, name: string, none: number): number {
  const value = member(schema, name);
  if (typeof value === 'number') return value;
  return value === true ? 0 : none;
}

/** Narrower or wider, in numbers. */
function compareBounds({ before, after, direction, pointer, field }: Pair, changes: Changes): void {
  for (const [names, sign, none] of [
    [LOWER, 1, Number.NEGATIVE_INFINITY],
    [UPPER, -1, Number.POSITIVE_INFINITY],
  ] as const)
    for (const name of names) {
      const [was, is] = [boundOf(before, name, none), boundOf(after, name, none)];
      if (was === is) continue;
      const narrower = (is - was) * sign > 0;
      // Who asks is hurt by less room, who reads by more.
      changes.add(`${pointer}/${name}`, 'bound', narrower === (direction === 'request'), field);
    }
}

/** Keywords that either hold or not: one that came narrows, one that went widens, another one does both. */
function compareMarks({ before, after, direction, pointer, field }: Pair, changes: Changes): void {
  for (const [name, rule] of [
    ['pattern', 'pattern'],
    ['format', 'format'],
    ['multipleOf', 'bound'],
    ['contentEncoding', 'format'],
    ['contentMediaType', 'format'],
  ] as const) {
    const [was, is] = [member(before, name), member(after, name)];
    if (was === is) continue;
    const breaking = direction === 'request' ? is !== undefined : was !== undefined;
    changes.add(`${pointer}/${name}`, rule, breaking, field);
  }
  const unique = (schema: unknown): boolean => member(schema, 'uniqueItems') === true;
  if (unique(before) !== unique(after))
    changes.add(`${pointer}/uniqueItems`, 'bound', unique(after) === (direction === 'request'), field);
}

function valuesOf(schema: unknown): readonly string[] | null {
  const constant = member(schema, 'const');
  if (constant !== undefined) return [JSON.stringify(constant)];
  const list = member(schema, 'enum');
  return Array.isArray(list) ? list.map((value) => JSON.stringify(value)) : null;
}

function compareValues({ before, after, direction, pointer, field }: Pair, changes: Changes): void {
  const [was, is] = [valuesOf(before), valuesOf(after)];
  if (was === null && is === null) return;
  const gone = was === null ? is !== null : is !== null && was.some((value) => !is.includes(value));
  const come = is === null ? was !== null : was !== null && is.some((value) => !was.includes(value));
  if (!gone && !come) return;
  changes.add(`${pointer}/enum`, 'enum', direction === 'request' ? gone : come, field);
}

/** What a value may be, beside its type and its parts. */
export function compareLimits(pair: Pair, changes: Changes): void {
  compareBounds(pair, changes);
  compareMarks(pair, changes);
  compareValues(pair, changes);
}
