import type { Knex } from 'knex';
import type { ContractChange } from '../../catalogue/comparison/findings.js';
import { type Notice, postNotice } from '../../store/notices.js';
import type { ServiceRow } from '../../store/services.js';
import { agenciesWithRole } from '../../store/systems.js';
import { consumersOf } from './consumers.js';

export type News = Pick<Notice, 'kind' | 'title' | 'text'>;

/** Those who used it lately, or may use it: nobody else needs to know. @returns whom */
export async function tellConsumers(
  trx: Knex,
  row: Pick<ServiceRow, 'id'>,
  news: News,
  now: number,
): Promise<string[]> {
  const agencies = [...new Set((await consumersOf(trx, row.id, now)).map(({ agency }) => agency))].sort();
  for (const agency of agencies)
    await postNotice(trx, { ...news, agency, role: 'consumer', noun: 'service', key: row.id, at: now });
  return agencies;
}

/** What takes effect without a second person is seen by some: the provider's own people and those who would approve. */
export async function tellOfCredentials(
  trx: Knex,
  { id, provider }: ServiceRow,
  { names, by, at }: { readonly names: readonly string[]; readonly by: string; readonly at: number },
): Promise<void> {
  const listed = names.join(', ');
  const news = {
    ...{ kind: 'service_credential_replaced', noun: 'service', key: id, at },
    title: { vi: `Thông tin xác thực của dịch vụ ${id} đã thay`, en: `A credential of ${id} was replaced` },
    text: {
      vi: `«${by}» đã thay giá trị của ${listed} để dịch vụ ${id} kết nối với nguồn; giá trị mới có hiệu lực ngay.`,
      en: `${by} replaced the value of ${listed}, with which ${id} reaches its source; it is in force at once.`,
    },
  };
  const approvers = (await agenciesWithRole(trx, 'manager')).filter((agency) => agency !== provider);
  await postNotice(trx, { ...news, agency: provider, role: 'provider' });
  for (const agency of approvers) await postNotice(trx, { ...news, agency, role: 'manager' });
}

export function suspendedNews({ id, title }: ServiceRow, reason: string): News {
  return {
    kind: 'service_suspended',
    title: { vi: `Dịch vụ ${id} tạm dừng`, en: `The service ${id} is suspended` },
    text: {
      vi: `Dịch vụ ${id} (${title}) tạm dừng, lời gọi bị từ chối cho đến khi khôi phục. Lý do: ${reason}`,
      en: `The service ${id} (${title}) is suspended; calls are refused until it is resumed. Reason: ${reason}`,
    },
  };
}

export function resumedNews({ id, title }: ServiceRow): News {
  return {
    kind: 'service_resumed',
    title: { vi: `Dịch vụ ${id} đã khôi phục`, en: `The service ${id} is resumed` },
    text: {
      vi: `Dịch vụ ${id} (${title}) lại nhận lời gọi.`,
      en: `The service ${id} (${title}) takes calls again.`,
    },
  };
}

export function retiredNews({ id, title }: ServiceRow): News {
  return {
    kind: 'service_retired',
    title: { vi: `Dịch vụ ${id} đã ngừng cung cấp`, en: `The service ${id} has ended` },
    text: {
      vi: `Dịch vụ ${id} (${title}) đã hết ngày cung cấp như đã báo; lời gọi bị từ chối.`,
      en: `The service ${id} (${title}) has come to the end that was announced; calls are refused.`,
    },
  };
}

/** What of the terms is another now, though it breaks nobody. */
export function termsNews({ id, title }: ServiceRow, changes: readonly ContractChange[]): News {
  const said = (language: 'vi' | 'en') =>
    changes.map(({ pointer, message }) => `${pointer.slice(1)}: ${message[language]}`).join('; ');
  return {
    kind: 'service_terms_changed',
    title: {
      vi: `Điều kiện khai thác dịch vụ ${id} thay đổi`,
      en: `The terms of the service ${id} have changed`,
    },
    text: {
      vi: `Dịch vụ ${id} (${title}): ${said('vi')}.`,
      en: `The service ${id} (${title}): ${said('en')}.`,
    },
  };
}
