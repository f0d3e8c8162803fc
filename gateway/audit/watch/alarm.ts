import type { Knex } from 'knex';
import { shownTime } from '../../base/calendar.js';
import { type Notice, postNotice } from '../../store/notices.js';
import { oweRecord } from '../../store/owed-records.js';
import type { AuditRecord } from '../record.js';
import { systemAct } from '../system-act.js';
import type { LogFault, Verification } from '../verify/verify.js';

const TOLD = ['operator', 'auditor', 'manager'] as const;
const KEY = 'verification';

type News = Pick<Notice, 'kind' | 'title' | 'text'>;

/** The same fault, found again, is told once. */
export function faultKey({ what, index }: LogFault): string {
  return `${what}:${index}`;
}

async function tell(trx: Knex, agency: string, fault: string, at: number, news: News): Promise<void> {
  for (const role of TOLD) {
    const dedupe = `${news.kind}:${fault}:${at}:${role}`;
    await postNotice(trx, { ...news, dedupe, agency, role, noun: 'log', key: KEY, at });
  }
}

function faultRecord({ size, root, fault }: Verification, at: number): AuditRecord {
  const target = { noun: 'log', key: KEY, after: { ...fault, size, root } };
  return systemAct(at, { operation: 'log_fault', outcome: 'failed', target });
}

/** Who runs the log, and who relies on it, learn that it does not hold; so does the log itself. */
export async function tellOfFault(
  trx: Knex,
  agency: string,
  found: Verification & { readonly fault: LogFault },
  at: number,
): Promise<void> {
  const { what, index, detail } = found.fault;
  await oweRecord(trx, faultRecord(found, at));
  await tell(trx, agency, faultKey(found.fault), at, {
    kind: 'log_fault',
    title: {
      vi: `Nhật ký không toàn vẹn tại bản ghi ${index}`,
      en: `The log does not hold at record ${index}`,
    },
    text: {
      vi: `Kiểm tra lúc ${shownTime(at)} phát hiện nhật ký đã bị thay đổi tại bản ghi ${index} (${what}: ${detail}). Giữ nguyên cơ sở dữ liệu để điều tra, chạy "lgsp audit verify" và đối chiếu với bản sao lưu cùng dấu mốc được giữ bên ngoài.`,
      en: `The verification of ${shownTime(at)} found that the log was changed at record ${index} (${what}: ${detail}). Keep the database as it is for those who investigate, run "lgsp audit verify", and compare with the backup and with checkpoints kept outside.`,
    },
  });
}

/** And that it does again. */
export async function tellOfRepair(
  trx: Knex,
  agency: string,
  fault: string,
  { size }: Verification,
  at: number,
): Promise<void> {
  await tell(trx, agency, fault, at, {
    kind: 'log_holds',
    title: { vi: 'Nhật ký đã toàn vẹn trở lại', en: 'The log holds again' },
    text: {
      vi: `Kiểm tra lúc ${shownTime(at)} chứng minh toàn bộ ${size} bản ghi; sai lệch trước đó (${fault}) không còn.`,
      en: `The verification of ${shownTime(at)} proved all ${size} records; the fault before (${fault}) is gone.`,
    },
  });
}
