import type { Clock } from '../../gateway/base/clock.js';

/** A clock that stands still until it is moved. */
export class HeldClock implements Clock {
  #now: number;

  constructor(now: number = Date.now()) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** @param ms - milliseconds, forwards or backwards */
  move(ms: number): void {
    this.#now += ms;
  }
}
