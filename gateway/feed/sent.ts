import type { Place } from './entry.js';

interface Mark {
  readonly seq: number;
  /** Octets sent on this connection when it had been flushed. */
  readonly bytes: number;
  readonly at: number;
}

/** Marks this close to each other are kept as one. */
const GRAIN = 16_384;

/**
 * What became of what was sent. Syslog is never acknowledged: what the kernel took may still lie in its buffer, or
 * in that of a receiver that hangs, and is gone with the connection. So a record counts as received once it was
 * flushed and the connection stayed sound for a while, and after a loss the last `resendBytes` are sent again.
 */
export class Sent {
  readonly #settleMs: number;
  readonly #resendBytes: number;
  readonly #unsettled: Mark[] = [];
  #trail: Mark[] = [];
  #bytes = 0;
  #seq: number;
  #resume: number;

  constructor(from: Place, { settleMs, resendBytes }: { settleMs: number; resendBytes: number }) {
    this.#seq = from.seq;
    this.#resume = from.resume;
    this.#settleMs = settleMs;
    this.#resendBytes = resendBytes;
  }

  flushed(seq: number, bytes: number, now: number): void {
    this.#bytes += bytes;
    const mark = { seq, bytes: this.#bytes, at: now };
    this.#unsettled.push(mark);
    const [before, last] = this.#trail.slice(-2);
    if (before !== undefined && last !== undefined && mark.bytes - before.bytes < GRAIN) this.#trail.pop();
    this.#trail.push(mark);
  }

  place(now: number): Place {
    while (this.#unsettled[0] !== undefined && now - this.#unsettled[0].at >= this.#settleMs)
      this.#seq = Math.max(this.#seq, this.#unsettled.shift()?.seq ?? -1);
    // What lies far enough behind has left every buffer on the way.
    let passed = 0;
    for (const mark of this.#trail) {
      if (this.#bytes - mark.bytes < this.#resendBytes) break;
      if (mark.seq > this.#seq) break;
      this.#resume = mark.seq;
      passed += 1;
    }
    if (passed > 0) this.#trail = this.#trail.slice(passed);
    return { seq: this.#seq, resume: Math.min(this.#resume, this.#seq) };
  }

  /** The other side took everything and said good-bye. */
  allReceived(): void {
    const last = this.#trail.at(-1)?.seq ?? this.#seq;
    this.#seq = Math.max(this.#seq, last);
    this.#resume = this.#seq;
    this.#unsettled.length = 0;
    this.#trail = [];
  }
}
