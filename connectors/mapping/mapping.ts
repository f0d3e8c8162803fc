import { z } from 'zod';
import { type Conversions, ConversionsSchema, conversionList, convert, MISSING } from './conversion.js';
import { MappingFault } from './fault.js';
import { parsePath, toPointer, valueAt } from './path.js';

/**
 * JSON → JSON. A string is a source expression relative to the current value, dotted (`hoTen.ten`) or a pointer
 * (`/hoTen/ten`); the object form adds conversions, nested fields, a mapping for each item, and what to do
 * when the source has no such value.
 *
 * @example
 * { from: 'data', as: 'array', items: { fields: { maHoSo: 'MaHoSo', ngayTra: { from: 'NgayTra', as: 'vn-datetime', optional: true } } } }
 */
export type Mapping = string | MappingObject;

export interface MappingObject {
  from?: string | undefined;
  as?: Conversions | undefined;
  fields?: Record<string, Mapping> | undefined;
  items?: Mapping | undefined;
  const?: unknown;
  /** Stands in for a missing value. */
  default?: unknown;
  /** A missing value leaves the field out; without it, it is a fault. */
  optional?: boolean | undefined;
}

export const SourceExpression = z
  .string()
  .max(512)
  .describe('Dotted (a.b) or pointer (/a/b) source expression; "." is the current value');

export const MappingSchema: z.ZodType<Mapping> = z.lazy(() =>
  z.union([
    SourceExpression,
    z
      .strictObject({
        from: SourceExpression.optional(),
        as: ConversionsSchema.optional(),
        fields: z.record(z.string(), MappingSchema).optional(),
        items: MappingSchema.optional(),
        const: z.json().optional(),
        default: z.json().optional(),
        optional: z.boolean().optional(),
      })
      .refine((m) => m.fields === undefined || m.items === undefined, 'fields and items exclude each other')
      .refine(
        (m) => m.const === undefined || Object.keys(m).length === 1,
        'const stands alone: it has no source',
      ),
  ]),
);

/** A mapping made ready: gives the new value, or `MISSING` where an optional source has none. */
export type CompiledMapping = (value: unknown) => unknown;

type Step = (value: unknown) => unknown;

function located(pointer: string, run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    throw error instanceof MappingFault ? error.within(pointer) : error;
  }
}

/** Keys come from a manifest: `__proto__` must become a plain field, not the prototype. */
function setField(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  else target[name] = value;
}

function fieldsStep(fields: Record<string, Mapping>): Step {
  const compiled = Object.entries(fields).map(([name, part]) => ({ name, map: compileMapping(part) }));
  return (value) => {
    if (value === null) return null;
    if (typeof value !== 'object' || Array.isArray(value)) throw new MappingFault('object');
    const made: Record<string, unknown> = {};
    for (const { name, map } of compiled) {
      const found = map(value);
      if (found !== MISSING) setField(made, name, found);
    }
    return made;
  };
}

function itemsStep(items: Mapping): Step {
  const map = compileMapping(items);
  return (value) => {
    if (value === null) return null;
    if (!Array.isArray(value)) throw new MappingFault('array');
    const made: unknown[] = [];
    for (const [index, item] of value.entries()) {
      const found = located(`/${index}`, () => map(item));
      if (found !== MISSING) made.push(found);
    }
    return made;
  };
}

function shapeStep(mapping: MappingObject): Step | null {
  if (mapping.fields !== undefined) return fieldsStep(mapping.fields);
  return mapping.items === undefined ? null : itemsStep(mapping.items);
}

/** Compiles once, at setup: expressions are split and conversions chosen before the first call. */
export function compileMapping(mapping: Mapping): CompiledMapping {
  const parts: MappingObject = typeof mapping === 'string' ? { from: mapping } : mapping;
  if (parts.const !== undefined) return () => parts.const;
  const steps = parsePath(parts.from ?? '');
  const pointer = toPointer(steps);
  const conversions = conversionList(parts.as);
  const shape = shapeStep(parts);
  const absent = (): unknown => {
    if (parts.default !== undefined) return parts.default;
    if (parts.optional === true) return MISSING;
    throw new MappingFault('required');
  };
  const from = (value: unknown): unknown => {
    const found = valueAt(value, steps);
    const converted = conversions.length === 0 ? found : convert(found, conversions);
    if (converted === MISSING) return absent();
    return shape === null ? converted : shape(converted);
  };
  return (value) => located(pointer, () => from(value));
}

/** Every source that a mapping reads from its root, as steps; sources below `items` are not from the root. */
export function rootSources(mapping: Mapping, base: readonly string[] = []): readonly (readonly string[])[] {
  const parts: MappingObject = typeof mapping === 'string' ? { from: mapping } : mapping;
  if (parts.const !== undefined) return [];
  const steps = [...base, ...parsePath(parts.from ?? '')];
  if (parts.fields === undefined) return [steps];
  return Object.values(parts.fields).flatMap((part) => rootSources(part, steps));
}
