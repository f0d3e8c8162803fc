import type { ConnectorRequest } from '../connector.js';
import { type Conversions, conversionList, convert, MISSING } from '../mapping/conversion.js';
import { MappingFault } from '../mapping/fault.js';
import { fromRequest, scopeOf } from '../mapping/scope.js';
import {
  parseSource,
  parseTemplate,
  type RequestScope,
  readSource,
  render,
  sourcePointer,
} from '../mapping/template.js';
import type { SqlBinding, SqlParam } from './settings.js';
import type { BoundValue } from './source.js';

type Reader = (scope: RequestScope) => BoundValue;

function bindable(value: unknown): BoundValue {
  if (value === MISSING || value === undefined || value === null) return null;
  if (typeof value === 'object') return Array.isArray(value) ? (value as unknown[]) : JSON.stringify(value);
  if (typeof value === 'string' && value.includes('\0')) throw new MappingFault('text');
  return value as BoundValue;
}

function sourceReader(from: string, as: Conversions | undefined, otherwise: BoundValue): Reader {
  const source = parseSource(from);
  const conversions = conversionList(as);
  const pointer = sourcePointer(source);
  return (scope) => {
    try {
      return bindable(convert(readSource(scope, source), conversions)) ?? otherwise;
    } catch (error) {
      throw error instanceof MappingFault ? error.within(pointer) : error;
    }
  };
}

function reader(param: SqlParam): Reader {
  if (typeof param !== 'string') return sourceReader(param.from, param.as, param.default ?? null);
  if (!param.includes('{')) return sourceReader(param, undefined, null);
  const template = parseTemplate(param);
  return (scope) => bindable(render(template, scope, (value) => value));
}

export type ParamReader = (request: ConnectorRequest) => readonly BoundValue[];

/** Reads the values of a call in the order in which the statement binds them. */
export function paramReader(
  binding: SqlBinding,
  order: readonly string[],
  credentials: Readonly<Record<string, string>>,
): ParamReader {
  const readers = order.map((name) => {
    const param = binding.params[name];
    if (param === undefined) throw new TypeError(`the statement binds :${name}, which has no parameter`);
    return reader(param);
  });
  return (request) =>
    fromRequest(() => {
      const scope = scopeOf(request, credentials);
      return readers.map((read) => read(scope));
    });
}
