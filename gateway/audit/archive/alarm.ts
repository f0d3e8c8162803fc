import type { Knex } from 'knex';
import { vietnamDay } from '../../base/calendar.js';
import { postNotice } from '../../store/notices.js';

/** Once a day while it lasts: who runs the log learns that old records cannot be sealed, and stay where they are. */
export async function tellOfTrouble(knex: Knex, agency: string, reason: string, at: number): Promise<void> {
  await postNotice(knex, {
    kind: 'archive_failed',
    dedupe: `archive_failed:${vietnamDay(at)}`,
    ...{ agency, role: 'operator', noun: 'log', key: 'archive', at },
    title: {
      vi: 'Chưa niêm phong được phần nhật ký đến hạn lưu trữ',
      en: 'The part of the log that is due cannot be sealed',
    },
    text: {
      vi: `Bản ghi đến hạn vẫn nằm trong cơ sở dữ liệu, không mất dữ liệu. Nguyên nhân: ${reason}.`,
      en: `Records that are due stay in the database; nothing is lost. The reason: ${reason}.`,
    },
  });
}
