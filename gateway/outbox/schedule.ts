const FIRST_MS = 10_000;
const FACTOR = 3;
const MOST_MS = 12 * 3_600_000;
const JITTER = 0.2;

/** The last attempt is made about two days after the first. */
export const MOST_ATTEMPTS = 12;

/**
 * How long to wait after the attempt with this number failed: 10 s, 30 s, 90 s … up to 12 hours, each longer or
 * shorter by up to a fifth, so that what failed together does not come back together.
 *
 * @param random in [0, 1)
 */
export function pauseAfter(attempt: number, random: number): number {
  const plain = Math.min(FIRST_MS * FACTOR ** (attempt - 1), MOST_MS);
  return Math.round(plain * (1 - JITTER + 2 * JITTER * random));
}
