import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Bilingual } from '../base/problem.js';

/** What a person accepts before they first work here, and again whenever it changes. */
export interface RulesOfUse {
  /** Follows from the text: another text is another version. */
  readonly version: string;
  /** Paragraphs; null where the installation has a text of its own, which is shown as it is. */
  readonly points: readonly Bilingual[];
  readonly text: string | null;
}

const POINTS: readonly Bilingual[] = [
  {
    vi: 'Tài khoản được cấp cho một người, theo văn bản của cơ quan. Không cho người khác mượn, không dùng chung, không ghi mật khẩu hay mã một lần ở nơi người khác thấy được.',
    en: 'The account is given to one person, on a document of their agency. It is not lent, not shared, and neither password nor one-time code is kept where others can see it.',
  },
  {
    vi: 'Chỉ tra cứu, khai thác dữ liệu để làm nhiệm vụ được giao, đúng mục đích và phạm vi đã được phê duyệt.',
    en: 'Data are looked up and used only for the duties one was given, for the purpose and within the scope that were approved.',
  },
  {
    vi: 'Không đưa bí mật nhà nước lên nền tảng. Dữ liệu cá nhân được bảo vệ theo quy định của pháp luật.',
    en: 'No state secret enters this platform. Personal data are protected as the law asks.',
  },
  {
    vi: 'Mọi thao tác đều được ghi nhật ký: ai, lúc nào, từ đâu, làm gì, theo văn bản nào. Nhật ký không sửa, không xóa được và được dùng khi kiểm tra.',
    en: 'Every act is recorded: who, when, from where, what, and on which document. The record cannot be changed or removed and is used in inspections.',
  },
  {
    vi: 'Khi nghi lộ mật khẩu, mất điện thoại có mã một lần, chuyển công tác hoặc thôi việc, báo ngay cho đơn vị vận hành để khóa tài khoản.',
    en: 'Whoever suspects that a password is known, has lost the telephone with the one-time codes, changes or leaves their post, tells the operating unit at once, so that the account is locked.',
  },
];

/** @param file - the installation's own text; a missing file is an error at start, not at somebody's first sign-in */
export function rulesOfUse(file: string | undefined): RulesOfUse {
  const text = file === undefined ? null : readFileSync(file, 'utf8').trim();
  const version = hash('sha256', text ?? JSON.stringify(POINTS), 'base64url').slice(0, 22);
  return { version, points: text === null ? POINTS : [], text };
}
