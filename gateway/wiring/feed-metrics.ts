import { Gauge, type Registry } from 'prom-client';
import type { Feed } from '../feed/feed.js';

/** How far each sink is behind; their names come from the settings, so that they may be labels. */
export function registerFeedMetrics(registry: Registry, feed: Feed): void {
  const gauge = (name: string, help: string, read: 'records' | 'seconds'): void => {
    new Gauge({
      name,
      help,
      labelNames: ['sink'],
      registers: [registry],
      collect() {
        for (const [sink, lag] of feed.lags) this.set({ sink }, lag[read]);
      },
    });
  };
  gauge('lgsp_feed_lag_records', 'Records that a sink of the feed has not taken yet', 'records');
  gauge('lgsp_feed_lag_seconds', 'How long the oldest of them has been waiting', 'seconds');
}
