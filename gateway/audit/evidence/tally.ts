import { localTime } from '../export/columns.js';
import type { AuditRecord } from '../record.js';

type Counted = 'agency' | 'service' | 'outcome';

/** Names that are counted one by one; those past it are counted together. */
const MOST_NAMES = 500;
const OTHERS = '(khác)';
const NONE = '(không có)';

/** Counts records while they pass. */
export class Tally {
  readonly #names: Readonly<Record<Counted, Map<string, number>>> = {
    agency: new Map(),
    service: new Map(),
    outcome: new Map(),
  };
  #count = 0;
  #first: string | undefined;
  #last: string | undefined;

  add(record: Partial<AuditRecord>): void {
    this.#count += 1;
    const { received } = record;
    if (typeof received === 'string') {
      if (this.#first === undefined || received < this.#first) this.#first = received;
      if (this.#last === undefined || received > this.#last) this.#last = received;
    }
    for (const name of ['agency', 'service', 'outcome'] as const) this.#add(name, record[name]);
  }

  #add(name: Counted, value: unknown): void {
    const counts = this.#names[name];
    const text = typeof value === 'string' ? oneLine(value) : NONE;
    const key = counts.has(text) || counts.size < MOST_NAMES ? text : OTHERS;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }

  get count(): number {
    return this.#count;
  }

  /** When the first and the last were received, as recorded; undefined without records. */
  get span(): { readonly first?: string; readonly last?: string } {
    const [first, last] = [this.#first, this.#last];
    return first === undefined || last === undefined ? {} : { first, last };
  }

  /** The most frequent first. */
  by(name: Counted): (readonly [name: string, count: number])[] {
    return [...this.#names[name]].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  }
}

/** What others wrote into a call stays on its line. */
export const oneLine = (text: string): string => text.replace(/\p{C}/gu, ' ');

const OUTCOMES: Readonly<Record<string, string>> = {
  answered: 'đã trả lời',
  refused: 'bị từ chối',
  failed: 'lỗi',
  aborted: 'bên gọi ngắt',
};

const at = (time: string | undefined): string =>
  time === undefined ? '–' : `${localTime(time) ?? ''} (${time})`;

/** How many, of when, and of whom: in the words of an auditor. */
export function tallyLines(tally: Tally): string[] {
  const { first, last } = tally.span;
  const list = (title: string, name: Counted, say = (text: string): string => text): string[] => [
    '',
    title,
    ...tally.by(name).map(([text, count]) => `  ${say(text)}: ${count}`),
  ];
  return [
    `Số bản ghi: ${tally.count}`,
    `Nhận sớm nhất (giờ Việt Nam): ${at(first)}`,
    `Nhận muộn nhất (giờ Việt Nam): ${at(last)}`,
    ...list('Theo cơ quan khai thác:', 'agency'),
    ...list('Theo dịch vụ:', 'service'),
    ...list('Theo kết quả:', 'outcome', (text) => OUTCOMES[text] ?? text),
  ];
}
