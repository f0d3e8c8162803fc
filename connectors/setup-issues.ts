import type { z } from 'zod';
import type { SetupFault } from './connector.js';
import { setupFault } from './setup-fault.js';

type Issue = z.core.$ZodIssue;

const VIETNAMESE: Readonly<Record<string, string>> = {
  invalid_type: 'Sai kiểu dữ liệu hoặc thiếu giá trị bắt buộc',
  invalid_value: 'Giá trị không nằm trong các giá trị cho phép',
  invalid_union: 'Không đúng dạng nào trong các dạng cho phép',
  unrecognized_keys: 'Có khóa không được hỗ trợ',
  too_small: 'Giá trị quá nhỏ hoặc quá ngắn',
  too_big: 'Giá trị quá lớn hoặc quá dài',
  invalid_format: 'Sai định dạng',
};

/** How far into the value an alternative got before it failed: the one that got furthest is the one that was meant. */
function depth(issues: readonly Issue[]): number {
  return Math.max(
    ...issues.map((issue) => issue.path.length + (issue.code === 'unrecognized_keys' ? 0.5 : 0)),
    0,
  );
}

function leaves(
  issue: Issue,
  base: readonly PropertyKey[],
): { path: readonly PropertyKey[]; issue: Issue }[] {
  const path = [...base, ...issue.path];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ path, issue }];
  const best = issue.errors.reduce((found, next) => (depth(next) > depth(found) ? next : found));
  const listed = issue.errors.find((issues) => issues.some((inner) => inner.code === 'invalid_value'));
  if (depth(best) === 0)
    return listed === undefined ? [{ path, issue }] : listed.flatMap((inner) => leaves(inner, path));
  return best.flatMap((inner) => leaves(inner, path));
}

/** Faults of a schema, each with a pointer from the manifest's root. */
export function schemaFaults(error: z.ZodError, base: readonly PropertyKey[]): SetupFault[] {
  return error.issues
    .flatMap((issue) => leaves(issue, base))
    .map(({ path, issue }) => {
      const keys = issue.code === 'unrecognized_keys' ? `: ${issue.keys.join(', ')}` : '';
      const vi = VIETNAMESE[issue.code] ?? `Giá trị không hợp lệ (${issue.message})`;
      return setupFault(path, issue.code, vi + keys, issue.message);
    });
}
