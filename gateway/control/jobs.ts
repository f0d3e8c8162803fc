import type { ControlContext } from './handler.js';
import { callDebts } from './documents/reminders.js';
import { warnOfEndings } from './expiring.js';
import { retireSunk } from './services/sunset.js';
import { expireGrants, tellOverdue } from './sharing/deadlines.js';
import { expireUnused } from './sharing/unused.js';
import { endOutgrown } from './sharing/outgrown.js';
import { remindOfReviews } from './sharing/review-reminders.js';
import { reviewGrants } from './sharing/review-rounds.js';

/** What falls due by itself: name → what is to be done once that may have happened. Each does nothing the second time. */
export function controlJobs(
  context: Pick<ControlContext, 'database' | 'clock' | 'config' | 'refresh'>,
): { readonly name: string; run(now: number): Promise<void> }[] {
  return [
    { name: 'expire-grants', run: (now) => expireGrants(context, now) },
    { name: 'expire-unused-requests', run: (now) => expireUnused(context, now) },
    { name: 'end-outgrown-subscriptions', run: (now) => endOutgrown(context, now) },
    { name: 'remind-of-reviews', run: (now) => remindOfReviews(context, now) },
    { name: 'review-grants', run: (now) => reviewGrants(context, now) },
    { name: 'tell-overdue', run: (now) => tellOverdue(context, now) },
    { name: 'retire-sunk-services', run: (now) => retireSunk(context, now) },
    { name: 'warn-of-endings', run: (now) => warnOfEndings(context, now) },
    { name: 'call-document-debts', run: (now) => callDebts(context, now) },
  ];
}
