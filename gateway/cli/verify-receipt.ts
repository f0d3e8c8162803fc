import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { VerifierKey } from '../audit/checkpoint.js';
import type { HandOver } from '../audit/key-hand-over.js';
import { followHandOvers, type ReceiptVerdict, verifyReceipt } from '../audit/receipt.js';
import { CommandFailure } from './failure.js';
import { type Io, json } from './io.js';
import { trustedKeys } from './trusted-keys.js';

export interface ReceiptFlags {
  readonly receipt: string;
  readonly key: readonly string[];
  readonly handOvers?: string;
  readonly body?: string;
  readonly json?: boolean;
}

type BodyVerdict = 'same' | 'other' | 'not_recorded';
type Held = Extract<ReceiptVerdict, { ok: true }>;

const FAULTS = {
  malformed: 'tệp không phải là biên nhận / this is no receipt',
  signature: 'điểm kiểm tra không do khóa tin cậy ký / no trusted key signed the checkpoint',
  inclusion: 'bản ghi không có trong nhật ký đã ký / the record is not in the log that was signed',
  record: 'lá không phải là bản ghi / the leaf is no record',
} as const;

function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    throw new CommandFailure(`cannot read ${file}`, 2);
  }
}

function handOversIn(file: string): readonly HandOver[] {
  try {
    return (JSON.parse(bytesOf(file).toString('utf8')) as { handOvers: HandOver[] }).handOvers.slice();
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(`${file} is not what /api/audit/log/keys answers`, 2);
  }
}

function keysOf({ key, handOvers }: ReceiptFlags): VerifierKey[] {
  const trusted = trustedKeys(key);
  if (handOvers === undefined) return trusted;
  const followed = handOversIn(handOvers);
  try {
    return followHandOvers(trusted, followed);
  } catch (error) {
    throw new CommandFailure(error instanceof Error ? error.message : 'a key cannot be read', 2);
  }
}

function bodyVerdict({ record }: Held, file: string | undefined): BodyVerdict | undefined {
  if (file === undefined) return undefined;
  const digest = hash('sha256', bytesOf(file), 'base64url');
  if (record.responseSha256 === undefined) return 'not_recorded';
  return record.responseSha256 === digest ? 'same' : 'other';
}

const ROWS = [
  ['Mã bản ghi / record', 'id'],
  ['Thời điểm nhận / received', 'received'],
  ['Cơ quan / agency', 'agency'],
  ['Hệ thống / system', 'system'],
  ['Cán bộ / official', 'user'],
  ['Hồ sơ / case', 'case'],
  ['Bên cung cấp / provider', 'provider'],
  ['Dịch vụ / service', 'service'],
  ['Phiên bản / version', 'version'],
  ['Thao tác / operation', 'operation'],
  ['Chấp thuận / grant', 'grant'],
  ['Kết quả / outcome', 'outcome'],
  ['Mã lỗi / code', 'code'],
  ['HTTP', 'status'],
  ['Băm đáp ứng / response SHA-256', 'responseSha256'],
] as const;

function told({ record, index, checkpoint }: Held): string {
  const facts = ROWS.filter(([, field]) => record[field] !== undefined).map(
    ([label, field]) => `${label}: ${String(record[field])}`,
  );
  const where = `${checkpoint.origin}, ${index} / ${checkpoint.size}`;
  return [...facts, `Bản ghi có trong nhật ký / the record is in the log: ${where}`].join('\n');
}

/**
 * Verifies a receipt with nothing but the files and keys it is given: no database, no network.
 *
 * @throws CommandFailure 1 when it does not hold, 2 when asked wrongly
 */
export function checkReceipt(io: Io, flags: ReceiptFlags): void {
  const verdict = verifyReceipt(bytesOf(flags.receipt).toString('utf8'), keysOf(flags));
  const body = verdict.ok ? bodyVerdict(verdict, flags.body) : undefined;
  const programs = flags.json === true;
  if (programs) {
    const { ok } = verdict;
    const facts = ok
      ? {
          record: verdict.record,
          index: verdict.index,
          size: verdict.checkpoint.size,
          origin: verdict.checkpoint.origin,
        }
      : { fault: verdict.fault };
    io.out(
      json({
        ok: ok && (body === undefined || body === 'same'),
        ...facts,
        ...(body === undefined ? {} : { body }),
      }),
    );
  } else if (verdict.ok) io.out(told(verdict));
  if (!verdict.ok) throw new CommandFailure(FAULTS[verdict.fault]);
  if (body === 'same' && !programs)
    io.out('Nội dung đáp ứng đúng với bản ghi / the body is the one that was recorded');
  if (body === 'other')
    throw new CommandFailure('nội dung khác với bản ghi / the body is not the one that was recorded');
  if (body === 'not_recorded')
    throw new CommandFailure('bản ghi không có băm đáp ứng / no body was recorded');
}
