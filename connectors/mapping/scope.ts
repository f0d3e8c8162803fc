import { type Bilingual, Problem } from '../../gateway/base/problem.js';
import type { ConnectorRequest } from '../connector.js';
import { MappingFault } from './fault.js';
import type { RequestScope } from './template.js';

/** What the templates and request mappings of a binding read. */
export function scopeOf(
  request: ConnectorRequest,
  credentials: Readonly<Record<string, string>>,
): RequestScope {
  return {
    path: request.path,
    query: request.query,
    header: request.headers,
    body: request.json,
    caller: request.caller,
    request: { id: request.requestId },
    credential: credentials,
  };
}

const UNFIT: Bilingual = {
  vi: 'Giá trị này không chuyển được sang dạng mà nguồn dữ liệu cần',
  en: 'This value cannot be put into the form that the source needs',
};

/** Runs what reads the caller's values: one that fits the contract but not the binding is the caller's to mend. */
export function fromRequest<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof MappingFault)) throw error;
    const { pointer, keyword } = error;
    throw new Problem('request_invalid', { errors: [{ pointer, keyword, message: UNFIT }] });
  }
}
