import type { Knex } from 'knex';
import { vietnamDay } from '../base/calendar.js';
import type { Bilingual } from '../base/problem.js';
import { findAgency } from '../store/agencies.js';
import type { Database } from '../store/database.js';
import { type ChannelRow, countFailure, forgetFailures, updateChannel } from '../store/notice-channels.js';
import { postNotice } from '../store/notices.js';
import { failWaiting, type Leased, settle } from '../store/outbox.js';
import type { Outcome } from './message.js';
import { MOST_ATTEMPTS, pauseAfter } from './schedule.js';

/** What the outbox says of itself; a failure to say so says nothing more. */
const OWN_KINDS: ReadonlySet<string> = new Set(['delivery_failed', 'channel_disabled']);

export interface Attempt {
  readonly leased: Leased;
  readonly channel: ChannelRow;
  readonly noticeKind: string;
  readonly outcome: Outcome;
  readonly now: number;
}

export interface LedgerParts {
  readonly database: Database;
  /** The agency that runs the gateway, whose operators are told. */
  readonly platformAgency: string;
  readonly random: () => number;
}

interface Telling {
  readonly kind: string;
  readonly dedupe: string;
  readonly title: Bilingual;
  readonly text: Bilingual;
}

/** Tells the operators of the gateway, and the agency whose channel it is. */
async function tell(
  trx: Knex,
  parts: LedgerParts,
  { channel, now }: Attempt,
  telling: Telling,
): Promise<void> {
  const about = { ...telling, noun: 'channel', key: channel.id, at: now };
  if ((await findAgency(trx, parts.platformAgency))?.code === parts.platformAgency)
    await postNotice(trx, {
      ...about,
      agency: parts.platformAgency,
      role: 'operator',
      dedupe: `${telling.dedupe}:operators`,
    });
  if (channel.agency === parts.platformAgency) return;
  await postNotice(trx, { ...about, agency: channel.agency, dedupe: `${telling.dedupe}:agency` });
}

async function giveUp(trx: Knex, parts: LedgerParts, attempt: Attempt, error: string): Promise<void> {
  if (OWN_KINDS.has(attempt.noticeKind)) return;
  const { channel, now } = attempt;
  await tell(trx, parts, attempt, {
    kind: 'delivery_failed',
    // One a day for each channel: whoever is away for days would fill every inbox otherwise.
    dedupe: `delivery_failed:${channel.id}:${vietnamDay(now)}`,
    title: { vi: 'Không gửi được thông báo', en: 'A notice could not be delivered' },
    text: {
      vi: `Kênh ${channel.id} của cơ quan ${channel.agency} không nhận được thông báo (${error}). Thông báo vẫn còn trong hộp thư.`,
      en: `Channel ${channel.id} of agency ${channel.agency} did not take a notice (${error}). It is still in the inbox.`,
    },
  });
}

async function disable(trx: Knex, parts: LedgerParts, attempt: Attempt, error: string): Promise<void> {
  const { channel, now } = attempt;
  const off = { active: false, disabled_at: now, disabled_reason: error, updated_at: now };
  await updateChannel(trx, channel.id, off);
  await failWaiting(trx, channel.id, 'the channel is switched off');
  await tell(trx, parts, attempt, {
    kind: 'channel_disabled',
    dedupe: `channel_disabled:${channel.id}:${now}`,
    title: { vi: 'Kênh thông báo đã bị tắt', en: 'A notice channel was switched off' },
    text: {
      vi: `Bên nhận của kênh ${channel.id} (cơ quan ${channel.agency}) cho biết không nhận nữa (${error}).`,
      en: `The receiver of channel ${channel.id} (agency ${channel.agency}) said that it wants nothing more (${error}).`,
    },
  });
}

function patchOf({ leased, outcome, now }: Attempt, random: () => number): Parameters<typeof settle>[2] {
  if (outcome.kind === 'sent') return { state: 'sent', sent_at: now, last_error: null };
  // The attempt did not count: what the receiver saw of it, it can tell by the id.
  if (outcome.kind === 'interrupted') return { next_at: now, attempts: leased.attempts - 1 };
  if (outcome.kind !== 'failed' || leased.attempts >= MOST_ATTEMPTS)
    return { state: 'failed', last_error: outcome.error };
  return { next_at: now + pauseAfter(leased.attempts, random()), last_error: outcome.error };
}

/** Writes down what became of an attempt, unless another node has taken the message up meanwhile. */
export async function note(parts: LedgerParts, attempt: Attempt): Promise<void> {
  const { leased, channel, outcome } = attempt;
  await parts.database.knex.transaction(async (trx) => {
    const patch = patchOf(attempt, parts.random);
    // A write comes first, so that SQLite waits for its lock here rather than refusing later.
    if (!(await settle(trx, leased, patch))) return;
    if (outcome.kind === 'interrupted') return;
    if (outcome.kind === 'sent') {
      await forgetFailures(trx, channel.id);
      return;
    }
    await countFailure(trx, channel.id);
    if (outcome.kind === 'gone') await disable(trx, parts, attempt, outcome.error);
    else if (patch.state === 'failed') await giveUp(trx, parts, attempt, outcome.error);
  });
}
