/** The most ids whose fate is remembered as unknown. */
const LIMIT = 10_000;
/** The most ids asked about at a time. */
const ASK = 500;

/**
 * Records whose callers were refused while nobody knew whether the commit had succeeded. As soon as the log
 * answers again it is asked, and those that it holds are reported.
 */
export class Doubts {
  readonly #ids = new Set<string>();
  readonly #ask: (ids: readonly string[]) => void;
  readonly #report: (id: string) => void;
  #asked = false;

  constructor(ask: (ids: readonly string[]) => void, report: (id: string) => void) {
    this.#ask = ask;
    this.#report = report;
  }

  add(ids: readonly string[]): void {
    for (const id of ids) if (this.#ids.size < LIMIT) this.#ids.add(id);
  }

  ask(): void {
    if (this.#asked || this.#ids.size === 0) return;
    this.#asked = true;
    this.#ask([...this.#ids].slice(0, ASK));
  }

  answered(asked: readonly string[], found: readonly string[]): void {
    for (const id of asked) this.#ids.delete(id);
    this.#asked = false;
    for (const id of found) this.#report(id);
    this.ask();
  }

  /** No answer came: the question is put again when the log works again. */
  unanswered(): void {
    this.#asked = false;
  }
}
