import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../base/clock.js';

/** A nonce is new for this long. */
const STEP_MS = 60_000;
/** How many steps an older one is still accepted: the caller may hold its answer for a while. */
const OLDER_STEPS = 4;

/** The longest that a nonce is accepted, in milliseconds. */
export const NONCE_LIFE_MS = STEP_MS * (OLDER_STEPS + 1);

/**
 * The nonces of RFC 9449, section 9: a MAC of the minute, so that nothing is kept, and nodes that share the key
 * accept each other's.
 */
export class DpopNonces {
  readonly #key: Uint8Array;
  readonly #clock: Clock;

  /** @param key - 32 bytes that nobody else knows */
  constructor(key: Uint8Array, clock: Clock) {
    this.#key = key;
    this.#clock = clock;
  }

  /** For the next proof. */
  current(): string {
    return this.#of(this.#step());
  }

  accepts(nonce: string): boolean {
    const asked = Buffer.from(nonce);
    const step = this.#step();
    let found = false;
    // The step ahead is that of a node whose clock is faster.
    for (let one = step - OLDER_STEPS; one <= step + 1; one += 1) {
      const known = Buffer.from(this.#of(one));
      if (known.length === asked.length && timingSafeEqual(known, asked)) found = true;
    }
    return found;
  }

  #step(): number {
    return Math.floor(this.#clock.now() / STEP_MS);
  }

  #of(step: number): string {
    return createHmac('sha256', this.#key).update(String(step)).digest('base64url');
  }
}
