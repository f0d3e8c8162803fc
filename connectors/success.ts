import { z } from 'zod';
import type { SuccessRule } from './connector.js';
import { MISSING } from './mapping/conversion.js';
import { parsePath, valueAt } from './mapping/path.js';

export const SuccessSchema = z.strictObject({
  pointer: z
    .string()
    .startsWith('/')
    .max(512)
    .describe('RFC 6901 pointer into the JSON answer of the source'),
  equals: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).min(1),
});

export type SuccessTest = (answer: unknown) => boolean;

/** A rule made ready. An answer without the value is no success. */
export function compileSuccess(rule: SuccessRule): SuccessTest {
  const steps = parsePath(rule.pointer);
  return (answer) => {
    const value = valueAt(answer, steps);
    return value !== MISSING && (rule.equals as readonly unknown[]).includes(value);
  };
}
