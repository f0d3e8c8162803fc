/** Where every other part takes the time from, so that tests can hold it. */
export interface Clock {
  /** Milliseconds since the Unix epoch, UTC. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Seconds since the epoch, as JWT and rate limits count. */
export function seconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}
