import type { Knex } from 'knex';
import { shownTime } from '../base/calendar.js';
import { type Notice, postNotice } from '../store/notices.js';
import type { WitnessRow } from '../store/witnesses.js';

const TOLD = ['operator', 'auditor'] as const;

type News = Pick<Notice, 'kind' | 'title' | 'text' | 'dedupe'>;

async function tell(trx: Knex, agency: string, key: string, at: number, news: News): Promise<void> {
  for (const role of TOLD) {
    const dedupe = `${news.dedupe ?? ''}:${role}`;
    await postNotice(trx, { ...news, dedupe, agency, role, noun: 'witness', key, at });
  }
}

/** Once an outage: who runs the log, and who relies on it, learn that it is not witnessed any more. */
export async function tellOfOutage(
  trx: Knex,
  agency: string,
  { name, at }: WitnessRow,
  since: number,
  error: string,
  now: number,
): Promise<void> {
  await tell(trx, agency, name, now, {
    kind: 'witness_down',
    dedupe: `witness_down:${name}:${since}`,
    title: {
      vi: `Bên chứng kiến ${name} không nhận dấu mốc nhật ký`,
      en: `Witness ${name} takes no checkpoints`,
    },
    text: {
      vi: `Từ ${shownTime(since)}, dấu mốc nhật ký không chuyển được đến ${name}: ${error}. Lần nhận gần nhất: ${at === null ? 'chưa có' : shownTime(at)}. Việc trao đổi dữ liệu không bị ảnh hưởng.`,
      en: `Since ${shownTime(since)} no checkpoint of the log has reached ${name}: ${error}. It last took one: ${at === null ? 'never' : shownTime(at)}. The exchange goes on.`,
    },
  });
}

/** And that it is again. */
export async function tellOfRecovery(
  trx: Knex,
  agency: string,
  { name, failing_since }: WitnessRow,
  now: number,
): Promise<void> {
  await tell(trx, agency, name, now, {
    kind: 'witness_back',
    dedupe: `witness_back:${name}:${String(failing_since)}`,
    title: {
      vi: `Bên chứng kiến ${name} đã nhận lại dấu mốc nhật ký`,
      en: `Witness ${name} takes checkpoints again`,
    },
    text: {
      vi: `Dấu mốc nhật ký được nhận lại từ ${shownTime(now)}.`,
      en: `Checkpoints of the log are taken again since ${shownTime(now)}.`,
    },
  });
}
