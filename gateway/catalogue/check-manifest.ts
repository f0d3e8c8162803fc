import type { z } from 'zod';
import { type Fault, Problem } from '../base/problem.js';
import { fault } from './faults.js';
import { member, pointerOf } from './json-tree.js';
import { isStateSecret, type Manifest, ManifestSchema } from './manifest.js';

/**
 * Refuses a service whose classification is a degree of secrecy, however it is written: it can never be published
 * here, so nothing else about it is looked at.
 *
 * @throws Problem `state_secret`
 */
export function assertNoStateSecret(manifest: unknown): void {
  const classification = member(manifest, 'classification');
  if (typeof classification !== 'string' || !isStateSecret(classification)) return;
  const message = {
    vi: 'độ mật này không được công bố trên nền tảng',
    en: 'data of this degree of secrecy cannot be published here',
  };
  throw new Problem('state_secret', {
    detail: {
      vi: 'Nền tảng chỉ tiếp nhận dữ liệu không thuộc phạm vi bí mật nhà nước (Mật, Tối mật, Tuyệt mật bị từ chối).',
      en: 'Only data that is no state secret is accepted (Mật, Tối mật and Tuyệt mật are refused).',
    },
    rule: {
      kind: 'service',
      id: 'classification',
      state: classification.slice(0, 64),
      clause: 'QĐ 491/QĐ-UBND, 3.6–3.7',
    },
    errors: [{ pointer: '/manifest/classification', keyword: 'stateSecret', message }],
    remedy: {
      vi: 'Chỉ công bố phần dữ liệu không mật với phân loại open, internal hoặc restricted; dữ liệu mật đi theo kênh riêng của pháp luật về bảo vệ bí mật nhà nước.',
      en: 'Publish only the part that is no secret, classified open, internal or restricted; secrets travel by the channels that the law on state secrets provides.',
    },
  });
}

const ISSUES_VI: Readonly<Record<string, string>> = {
  invalid_type: 'thiếu hoặc sai kiểu dữ liệu',
  invalid_value: 'không phải một trong các giá trị được phép',
  invalid_format: 'sai định dạng',
  too_small: 'quá ngắn hoặc quá nhỏ',
  too_big: 'quá dài hoặc quá lớn',
  invalid_union: 'không khớp cấu trúc nào được phép',
};

function issueFaults(issue: z.core.$ZodIssue): Fault[] {
  const pointer = pointerOf(...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part)));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) =>
      fault(pointer + pointerOf(key), 'unknown', 'trường này không tồn tại', 'there is no such member'),
    );
  }
  const vi = ISSUES_VI[issue.code] ?? 'không hợp lệ';
  return [fault(pointer, issue.code, vi, issue.message)];
}

/** The manifest, or its faults with pointers from its root. */
export function readManifest(manifest: unknown): { manifest: Manifest | null; faults: Fault[] } {
  const parsed = ManifestSchema.safeParse(manifest);
  if (parsed.success) return { manifest: parsed.data, faults: [] };
  return { manifest: null, faults: parsed.error.issues.flatMap(issueFaults) };
}
