import { randomUUID } from 'node:crypto';
import type { Egress } from '../../connectors/egress.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Logger } from '../base/log.js';
import type { Sealing } from '../identity/sealing.js';
import type { Database } from '../store/database.js';
import { type ChannelRow, findChannel } from '../store/notice-channels.js';
import { deleteOldNotices, noticeToSend, type NoticeRow } from '../store/notices.js';
import { countOutbox, deleteOld, type Leased, leaseNext } from '../store/outbox.js';
import { type LedgerParts, note } from './ledger.js';
import { sendMail } from './mail.js';
import { type MailSettings, mailSettings } from './mail-settings.js';
import { failed, type Message, nameOf, type Outcome } from './message.js';
import { sendWebhook } from './webhook.js';

/** Under which purpose the secret of a channel is sealed; the id is the channel's. */
export const CHANNEL_SEAL = 'notice-channel';

const WEBHOOK_MS = 10_000;
const MAIL_MS = 30_000;
/** Well past the longest attempt: two nodes must not send the same message because one of them is slow. */
const LEASE_MS = 120_000;
const CONCURRENT = 8;
const COUNT_MS = 5000;
const PRUNE_MS = 600_000;
const PRUNE_BATCH = 1000;
const DAY_MS = 86_400_000;
const KEEP_MS = 90 * DAY_MS;

export interface OutboxOptions {
  readonly database: Database;
  readonly egress: Egress;
  readonly clock: Clock;
  readonly log: Logger;
  readonly sealing: Sealing;
  readonly config: Pick<Config, 'smtp' | 'notices' | 'platform' | 'publicUrl' | 'refreshMs' | 'drainMs'>;
  /** In [0, 1); spreads the attempts. */
  readonly random?: () => number;
  readonly webhookTimeoutMs?: number;
  readonly mailTimeoutMs?: number;
}

/** Sends what waits in the outbox, beside the calls and never in their way. */
export interface Outbox {
  /** In the whole installation, as of a few seconds ago. */
  readonly waiting: number;
  readonly failed: number;
  /** Takes nothing up any more, lets attempts end for a while, and gives back the rest. */
  close(): Promise<void>;
}

class Deliveries implements Outbox {
  readonly #options: OutboxOptions;
  readonly #ledger: LedgerParts;
  readonly #mail: MailSettings | null;
  readonly #node = randomUUID();
  /** One at a time for each channel: one that is slow keeps only itself waiting. */
  readonly #inFlight = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  #filling: Promise<void> | null = null;
  #counting: Promise<void> | null = null;
  #pruning: Promise<void> | null = null;
  #closed = false;
  #troubled = false;
  waiting = 0;
  failed = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#mail = mailSettings(options.config.smtp);
    this.#ledger = {
      database: options.database,
      platformAgency: options.config.platform.agencyCode,
      random: options.random ?? Math.random,
    };
    const every = (ms: number, work: () => void): void =>
      void this.#timers.push(setInterval(work, ms).unref());
    every(options.config.refreshMs, () => this.#fill());
    every(COUNT_MS, () => this.#count());
    every(PRUNE_MS, () => this.#prune());
    this.#fill();
    this.#count();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#filling;
    const grace = setTimeout(() => this.#stopping.abort(), this.#options.config.drainMs);
    await Promise.all(this.#inFlight.values());
    clearTimeout(grace);
    await Promise.all([this.#counting, this.#pruning]);
  }

  #fill(): void {
    if (this.#closed || this.#filling !== null) return;
    this.#filling = this.#takeUp().finally(() => {
      this.#filling = null;
    });
  }

  async #takeUp(): Promise<void> {
    const { database, clock, log } = this.#options;
    try {
      while (!this.#closed && this.#inFlight.size < CONCURRENT) {
        const notTo = [...this.#inFlight.keys()];
        const ask = { now: clock.now(), node: this.#node, leaseMs: LEASE_MS, notTo };
        const leased = await leaseNext(database, ask);
        this.#troubled = false;
        if (leased === undefined) return;
        this.#begin(leased);
      }
    } catch (error) {
      // Once, not at every look: the database is away and everybody knows.
      if (!this.#troubled) log.warn({ err: error }, 'the outbox cannot be read');
      this.#troubled = true;
    }
  }

  #begin(leased: Leased): void {
    const work = this.#deliver(leased)
      // The lease ends by itself, and the message is sent again: at least once.
      .catch((error: unknown) => this.#options.log.warn({ err: error, delivery: leased.id }, 'delivery'))
      .finally(() => {
        this.#inFlight.delete(leased.channel_id);
        this.#fill();
      });
    this.#inFlight.set(leased.channel_id, work);
  }

  async #deliver(leased: Leased): Promise<void> {
    const { database, clock, log } = this.#options;
    const channel = await findChannel(database.knex, leased.channel_id);
    const notice = await noticeToSend(database.knex, leased.notice_id);
    // Deleted meanwhile, and the row with it.
    if (channel === undefined || notice === undefined) return;
    const outcome = await this.#attempt(leased, channel, notice);
    if (outcome.kind !== 'sent')
      log.info(
        { channel: channel.id, delivery: leased.id, attempt: leased.attempts, outcome },
        'not delivered',
      );
    await note(this.#ledger, { leased, channel, noticeKind: notice.kind, outcome, now: clock.now() });
  }

  async #attempt({ id }: Leased, channel: ChannelRow, notice: NoticeRow): Promise<Outcome> {
    if (!channel.active) return { kind: 'refused', error: 'the channel is switched off' };
    const message = { id, notice, channel, at: this.#options.clock.now() };
    try {
      return await (channel.kind === 'webhook' ? this.#webhook(message) : this.#email(message));
    } catch (error) {
      return failed(nameOf(error));
    }
  }

  #webhook(message: Message): Promise<Outcome> {
    const { egress, sealing, webhookTimeoutMs: timeoutMs = WEBHOOK_MS } = this.#options;
    const { id, sealed_secret } = message.channel;
    const secret = sealing.open(CHANNEL_SEAL, id, sealed_secret ?? '').toString('utf8');
    return sendWebhook(message, { egress, secret, timeoutMs, stopping: this.#stopping.signal });
  }

  async #email(message: Message): Promise<Outcome> {
    const { config, mailTimeoutMs: timeoutMs = MAIL_MS } = this.#options;
    if (this.#mail === null) return failed('no mail server is configured');
    return await sendMail(message, {
      settings: this.#mail,
      senderName: config.platform.agencyName,
      domain: new URL(config.publicUrl).hostname,
      timeoutMs,
      stopping: this.#stopping.signal,
    });
  }

  #count(): void {
    this.#counting ??= countOutbox(this.#options.database.knex)
      .then((found) => void Object.assign(this, found))
      .catch(() => undefined)
      .finally(() => {
        this.#counting = null;
      });
  }

  #prune(): void {
    const { database, clock, config, log } = this.#options;
    const noticesBefore = clock.now() - config.notices.keepDays * DAY_MS;
    this.#pruning ??= deleteOld(database.knex, clock.now() - KEEP_MS, PRUNE_BATCH)
      .then(() => deleteOldNotices(database.knex, noticesBefore, PRUNE_BATCH))
      .catch((error: unknown) => log.warn({ err: error }, 'old deliveries'))
      .finally(() => {
        this.#pruning = null;
      });
  }
}

/**
 * Starts to send what waits. Each message is taken up by one node, under a lease; when that node dies, the lease
 * ends and another sends it again, under the same id.
 *
 * @throws ConfigError when the mail server's settings cannot be used
 */
export function startOutbox(options: OutboxOptions): Outbox {
  return new Deliveries(options);
}
