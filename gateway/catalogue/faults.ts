import type { Fault } from '../base/problem.js';

/** More faults than this help nobody; a closing note says that there are more. */
export const MAX_FAULTS = 200;

export function fault(pointer: string, keyword: string, vi: string, en: string): Fault {
  return { pointer, keyword, message: { vi, en } };
}

/** Past this, collecting more would only cost time. */
const MAX_COLLECTED = 5000;

/** Collects the faults of a document, each only once, in the order of their pointers. */
export class FaultList {
  readonly #faults = new Map<string, Fault>();

  get size(): number {
    return this.#faults.size;
  }

  add(pointer: string, keyword: string, vi: string, en: string): void {
    this.push(fault(pointer, keyword, vi, en));
  }

  push(...faults: readonly Fault[]): void {
    for (const one of faults) {
      if (this.#faults.size < MAX_COLLECTED)
        this.#faults.set(`${one.pointer} ${one.keyword} ${one.message.en}`, one);
    }
  }

  /** Whether something is already said about this place, or about something inside it. */
  covers(pointer: string): boolean {
    for (const { pointer: known } of this.#faults.values()) {
      if (known === pointer || known.startsWith(`${pointer}/`)) return true;
    }
    return false;
  }

  at(pointer: string): boolean {
    return [...this.#faults.values()].some((known) => known.pointer === pointer);
  }

  all(): Fault[] {
    return [...this.#faults.values()].sort(byPlace);
  }
}

function byPlace(a: Fault, b: Fault): number {
  if (a.pointer !== b.pointer) return a.pointer < b.pointer ? -1 : 1;
  return a.keyword < b.keyword ? -1 : a.keyword > b.keyword ? 1 : 0;
}

/** Sorted and cut to `MAX_FAULTS`, with a note in place of the rest. */
export function bounded(faults: readonly Fault[]): Fault[] {
  const sorted = [...faults].sort(byPlace);
  if (sorted.length <= MAX_FAULTS) return sorted;
  const more = sorted.length - MAX_FAULTS;
  const note = fault('', 'more', `còn ${more} lỗi khác chưa liệt kê`, `${more} more faults are not listed`);
  return [...sorted.slice(0, MAX_FAULTS), note];
}

export function underPrefix(prefix: string, faults: readonly Fault[]): Fault[] {
  return faults.map((one) => ({ ...one, pointer: prefix + one.pointer }));
}
