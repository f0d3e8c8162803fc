import type { Knex } from 'knex';
import { vietnamDay } from '../../base/calendar.js';
import type { Fault } from '../../base/problem.js';
import { Problem } from '../../base/problem.js';
import { legalBasisInForce } from '../../store/legal-bases.js';
import type { RequestRow } from '../../store/sharing-requests.js';
import { findSystem, type Role } from '../../store/systems.js';
import type { ControlContext } from '../handler.js';

/** What a request asks for. */
export interface Content {
  readonly purpose: string;
  /** Reference to the registry of legal bases. */
  readonly legalBasis: string | null;
  readonly operations: readonly string[];
  /** Operation id → pointers into its answers; null where all fields are wanted. */
  readonly fields: Readonly<Record<string, readonly string[]>> | null;
  readonly perDay: number | null;
  readonly perMinute: number | null;
  /** Calendar days; from null: as soon as it is active. */
  readonly from: string | null;
  readonly until: string | null;
  readonly afterUse: { readonly storage: string; readonly deletion: string } | null;
}

/** What provider and consumer agree on; the two themselves and the data are the request's. */
export interface Agreement {
  readonly data: string;
  readonly place: string;
  readonly term: string;
  readonly method: string;
  readonly processing: string;
  readonly conditions: string;
  readonly commitments: string;
  readonly security: string;
  readonly storage: string;
  readonly deletion: string;
}

export const contentOf = (row: RequestRow): Content => JSON.parse(row.content) as Content;

const fault = (pointer: string, keyword: string, vi: string, en: string): Fault => ({
  pointer: `/body/${pointer}`,
  keyword,
  message: { vi, en },
});

const DAY_MS = 86_400_000;

function termFaults({ from, until }: Content, now: number, maxDays: number): Fault[] {
  const today = vietnamDay(now);
  if (until === null) return [fault('until', 'required', 'cần thời hạn sử dụng', 'needs a term')];
  if (until < today) return [fault('until', 'date', 'thời hạn đã qua', 'lies in the past')];
  if (from !== null && from > until)
    return [fault('from', 'order', 'phải trước ngày hết hạn', 'must not be after the last day')];
  const days = (Date.parse(until) - Date.parse(from ?? today)) / DAY_MS;
  if (days <= maxDays) return [];
  return [fault('until', 'maximum', `thời hạn dài nhất là ${maxDays} ngày`, `at most ${maxDays} days`)];
}

function fieldFaults(context: ControlContext, row: RequestRow, { operations, fields }: Content): Fault[] {
  const contract = context.published(row.service_id)?.contract;
  const faults: Fault[] = [];
  for (const [i, id] of operations.entries())
    if (contract?.operations.has(id) !== true)
      faults.push(
        fault(`operations/${i}`, 'exists', 'dịch vụ không có thao tác này', 'is no operation of the service'),
      );
  for (const [id, pointers] of Object.entries(fields ?? {})) {
    const operation = operations.includes(id) ? contract?.operations.get(id) : undefined;
    if (operation === undefined) {
      faults.push(
        fault(
          `fields/${id}`,
          'exists',
          'thao tác không được yêu cầu',
          'names an operation that is not asked for',
        ),
      );
      continue;
    }
    for (const pointer of operation.fieldsAstray(pointers))
      faults.push(
        fault(
          `fields/${id}/${pointers.indexOf(pointer)}`,
          'exists',
          `câu trả lời không có trường ${pointer}`,
          `${pointer} is no field of the answers`,
        ),
      );
  }
  const silent = fields === null ? [] : operations.filter((id) => (fields[id]?.length ?? 0) === 0);
  for (const id of silent)
    faults.push(
      fault(`fields/${id}`, 'required', 'cần nêu các trường cần dùng', 'needs the fields that are wanted'),
    );
  return faults;
}

async function systemFaults(trx: Knex, row: RequestRow): Promise<Fault[]> {
  const system = await findSystem(trx, row.system_id);
  const able =
    system?.agency_code === row.consumer &&
    system.state === 'active' &&
    (JSON.parse(system.roles) as Role[]).includes('consumer');
  if (able) return [];
  return [
    fault(
      'system',
      'active',
      'hệ thống nhận phải đang hoạt động, thuộc cơ quan yêu cầu và có vai trò khai thác',
      'must be an active system of the asking agency in the role of consumer',
    ),
  ];
}

async function basisFaults(trx: Knex, ref: string | null, now: number): Promise<Fault[]> {
  if (ref === null) return [fault('legalBasis', 'required', 'cần căn cứ pháp lý', 'needs a legal basis')];
  const found = await legalBasisInForce(trx, ref, vietnamDay(now));
  if (found?.inForce === true) return [];
  return [
    fault(
      'legalBasis',
      found === undefined ? 'exists' : 'inForce',
      found === undefined ? 'không có căn cứ pháp lý này' : 'căn cứ pháp lý không còn hoặc chưa có hiệu lực',
      found === undefined ? 'is not in the registry of legal bases' : 'is not in force today',
    ),
  ];
}

function plainFaults(content: Content): Fault[] {
  const { operations, perDay, afterUse } = content;
  return [
    ...(operations.length > 0
      ? []
      : [fault('operations', 'minItems', 'cần ít nhất một thao tác', 'needs one at least')]),
    ...(perDay === null
      ? [fault('perDay', 'required', 'cần số lượt gọi mỗi ngày', 'needs the calls per day')]
      : []),
    ...(afterUse === null
      ? [
          fault(
            'afterUse',
            'required',
            'cần nghĩa vụ lưu trữ, xóa sau khi sử dụng',
            'needs the duties after use',
          ),
        ]
      : []),
  ];
}

function assertService(context: ControlContext, row: RequestRow): void {
  const service = context.published(row.service_id);
  if (service?.state === 'published' && service.row.sharing === 'special') return;
  throw new Problem('conflict', {
    detail: {
      vi: 'Dịch vụ không còn được công bố để chia sẻ theo yêu cầu đặc thù.',
      en: 'The service is not, or no longer, published for special-request sharing.',
    },
    rule: { kind: 'service', id: row.service_id, state: service?.state ?? 'unknown' },
  });
}

/**
 * A request that leaves its maker's hands must be whole, and possible: what it names must be there now.
 *
 * @throws Problem `request_invalid` with every fault, or `conflict` when the service is not there for it
 */
export async function assertComplete(trx: Knex, context: ControlContext, row: RequestRow): Promise<void> {
  const content = contentOf(row);
  const now = context.clock.now();
  assertService(context, row);
  const errors = [
    ...plainFaults(content),
    ...termFaults(content, now, context.config.sharing.maxTermDays),
    ...fieldFaults(context, row, content),
    ...(await systemFaults(trx, row)),
    ...(await basisFaults(trx, content.legalBasis, now)),
  ];
  if (errors.length > 0) throw new Problem('request_invalid', { errors });
}
