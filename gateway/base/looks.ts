/** Looks now and then whether something is due, and never again while the last look is still under way. */
export class Looks {
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | null = null;

  /** Aborted when it is to end. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /**
   * At once, and then each time the interval is over; at most once for each of these objects.
   *
   * @param look what it rejects with is given to `failed`; the next look comes all the same
   */
  every(ms: number, look: () => Promise<void>, failed: (error: unknown) => void): void {
    const once = (): void => {
      this.#looking ??= look()
        .catch(failed)
        .finally(() => {
          this.#looking = null;
        });
    };
    this.#timer = setInterval(once, ms).unref();
    once();
  }

  /** Ends it, after what is under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#looking;
  }
}
