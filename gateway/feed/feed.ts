import { findAgency } from '../store/agencies.js';
import { beginOutage, durableAt, endOutage, findCursor, newestSeq } from '../store/feed-cursors.js';
import { postNotice } from '../store/notices.js';
import { type FeedParts, SinkFeed } from './sink-feed.js';

const LOOK_MS = 5000;

/** How far a sink is behind the log. */
export interface Lag {
  readonly records: number;
  readonly seconds: number;
}

/** Hands every record to the sinks that the settings name, beside the calls and never in their way. */
export interface Feed {
  /** By the name of the sink, as of a few seconds ago. */
  readonly lags: ReadonlyMap<string, Lag>;
  close(): Promise<void>;
}

async function lagOf({ database, clock }: FeedParts, seq: number): Promise<Lag> {
  const records = Math.max(0, (await newestSeq(database.knex)) - seq);
  const at = records === 0 ? undefined : await durableAt(database.knex, seq);
  return { records, seconds: at === undefined ? 0 : Math.max(0, (clock.now() - at) / 1000) };
}

function words(sink: string, lag: Lag, over: boolean) {
  if (over)
    return {
      title: { vi: 'Luồng nhật ký tới giám sát đã thông', en: 'The feed of the record works again' },
      text: {
        vi: `Đích ${sink} đã nhận đủ các bản ghi tồn đọng.`,
        en: `Sink ${sink} has taken what was waiting.`,
      },
    };
  return {
    title: { vi: 'Luồng nhật ký tới giám sát bị nghẽn', en: 'The feed of the record is behind' },
    text: {
      vi: `Đích ${sink} chậm ${lag.records} bản ghi, ${Math.round(lag.seconds)} giây. Không mất bản ghi nào; các lời gọi không phải chờ.`,
      en: `Sink ${sink} is ${lag.records} records, ${Math.round(lag.seconds)} seconds behind. Nothing is lost, and no call waits.`,
    },
  };
}

/** Tells the operators once when an outage has begun, and once when it is over, whichever node sees it first. */
async function alarm(parts: FeedParts, sink: string, since: number | null, lag: Lag): Promise<void> {
  const { alarmSeconds } = parts.config.feed;
  const begins = since === null && lag.seconds > alarmSeconds;
  const ends = since !== null && lag.seconds <= alarmSeconds / 2;
  if (!begins && !ends) return;
  const { agencyCode } = parts.config.platform;
  const now = parts.clock.now();
  await parts.database.knex.transaction(async (trx) => {
    const first = ends ? await endOutage(trx, sink, since) : await beginOutage(trx, sink, now);
    if (!first || (await findAgency(trx, agencyCode))?.code !== agencyCode) return;
    const kind = ends ? 'feed_recovered' : 'feed_behind';
    await postNotice(trx, {
      ...words(sink, lag, ends),
      ...{ agency: agencyCode, role: 'operator', kind, noun: 'feed', key: sink, at: now },
      dedupe: `${kind}:${sink}:${since ?? now}`,
    });
  });
}

/** Starts to feed; nothing at all without sinks. */
export function startFeed(parts: FeedParts): Feed {
  const { sinks, alarmSeconds } = parts.config.feed;
  const feeds = sinks.map((sink) => new SinkFeed(parts, sink));
  const lags = new Map<string, Lag>();
  let looking: Promise<void> = Promise.resolve();
  const look = async (): Promise<void> => {
    for (const { name } of sinks) {
      const cursor = await findCursor(parts.database.knex, name);
      if (cursor === undefined) continue;
      const lag = await lagOf(parts, cursor.seq);
      lags.set(name, lag);
      await alarm(parts, name, cursor.outage_since, lag);
    }
  };
  const everyMs = Math.min(LOOK_MS, alarmSeconds * 250);
  let busy = false;
  const timer = setInterval(() => {
    if (busy || sinks.length === 0) return;
    busy = true;
    looking = look()
      // The database is away, and everybody knows.
      .catch(() => undefined)
      .finally(() => (busy = false));
  }, everyMs).unref();
  return {
    lags,
    async close() {
      clearInterval(timer);
      await Promise.all(feeds.map((feed) => feed.close()));
      await looking;
    },
  };
}
