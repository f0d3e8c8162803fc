import { vietnamDay } from '../base/calendar.js';
import type { Clock } from '../base/clock.js';
import { Problem } from '../base/problem.js';
import { endOfDay } from '../base/working-days.js';
import type { GrantRow } from '../store/grants.js';
import { giveBackCalls, takeCalls } from '../store/grants.js';
import type { Database } from '../store/database.js';
import type { Counted } from './limits.js';

const DAY_SECONDS = 86_400;
/** Calls taken at once from a large quota: what a killed node loses of it is less than a thousandth. */
const SHARE = 1000;
const LARGEST_BLOCK = 100;

/** What this node has taken of one grant's day. */
interface Lease {
  readonly day: string;
  /** Calls of the day that all nodes have taken, when this one last took. */
  taken: number;
  /** Of those, what is still unused here. */
  left: number;
}

/**
 * The quota of a day: one number in the database, whatever the number of nodes. A node takes calls out of it before
 * it makes them, so that a crash can only lose some and never make more than were approved.
 */
export class Quota {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #leases = new Map<string, Lease>();
  readonly #taking = new Map<string, Promise<boolean>>();

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Uses one call of the grant's day. Calls of one grant that need to take more wait for each other. */
  async use(grant: GrantRow, perDay: number): Promise<Counted> {
    const day = vietnamDay(this.#clock.now());
    for (;;) {
      await this.#taking.get(grant.id);
      const lease = this.#leases.get(grant.id);
      if (lease?.day === day && lease.left > 0) return this.#spend(lease, perDay);
      if (this.#taking.has(grant.id)) continue;
      const taking = this.#take(grant.id, day, perDay).finally(() => this.#taking.delete(grant.id));
      this.#taking.set(grant.id, taking);
      if (!(await taking)) return this.#counted(day, perDay, 0, false);
    }
  }

  /** A quota that was lowered meanwhile counts at once, whatever is left of the lease. */
  #spend(lease: Lease, perDay: number): Counted {
    const used = lease.taken - lease.left;
    if (used >= perDay) return this.#counted(lease.day, perDay, 0, false);
    lease.left -= 1;
    return this.#counted(lease.day, perDay, perDay - used - 1, true);
  }

  /** Gives back what was taken and not used: the node ends. */
  async close(): Promise<void> {
    const leases = [...this.#leases];
    this.#leases.clear();
    for (const [id, { day, left }] of leases)
      if (left > 0) await giveBackCalls(this.#database.knex, id, day, left);
  }

  async #take(id: string, day: string, perDay: number): Promise<boolean> {
    this.#leases.delete(id);
    const block = Math.max(1, Math.min(LARGEST_BLOCK, Math.floor(perDay / SHARE)));
    try {
      for (const want of block === 1 ? [1] : [block, 1]) {
        const taken = await takeCalls(this.#database.knex, id, day, want, perDay);
        if (taken === null) continue;
        this.#leases.set(id, { day, taken, left: want });
        return true;
      }
      return false;
    } catch (cause) {
      // Without the count nobody knows whether the call is within what was approved.
      throw new Problem('overloaded', { cause });
    }
  }

  #counted(day: string, perDay: number, remaining: number, allowed: boolean): Counted {
    const resetSeconds = Math.max(1, Math.ceil((endOfDay(day) + 1 - this.#clock.now()) / 1000));
    const limit = { calls: perDay, seconds: DAY_SECONDS };
    return { name: 'quota-day', limit, remaining, resetSeconds, allowed };
  }
}

/** The refusal for a grant whose quota is used up. */
export function quotaExceeded(grant: GrantRow, count: Counted): Problem {
  const { calls, seconds } = count.limit;
  const daily = seconds === DAY_SECONDS;
  return new Problem('quota_exceeded', {
    detail: daily
      ? {
          vi: `Đã dùng hết hạn mức ${calls} lượt gọi trong ngày theo phê duyệt ${grant.id}.`,
          en: `All ${calls} calls a day that ${grant.id} approves are used.`,
        }
      : {
          vi: `Đã dùng hết hạn mức ${calls} lượt gọi trong một phút theo phê duyệt ${grant.id}.`,
          en: `All ${calls} calls a minute that ${grant.id} approves are used.`,
        },
    rule: {
      kind: 'grant',
      id: grant.id,
      state: 'used_up',
      since: new Date(grant.state_since).toISOString(),
      quota: count.name,
      calls,
      seconds,
      remaining: 0,
    },
    headers: { 'Retry-After': String(Math.max(1, count.resetSeconds)) },
  });
}
