import type { Knex } from 'knex';
import type { Database } from './database.js';
import { type Page, type PageAsk, pageOf } from './page.js';

/**
 * asked (the consumer is to confirm its need) → confirmed (the provider is to agree) → agreed or disagreed; lapsed: the
 * grant ended for want of an answer; void: the grant had ended otherwise.
 */
export const REVIEW_STATES = ['asked', 'confirmed', 'agreed', 'disagreed', 'lapsed', 'void'] as const;
export type ReviewState = (typeof REVIEW_STATES)[number];

/** That a grant is to be confirmed. Times are ms since the epoch. */
export interface GrantReviewRow {
  id: string;
  grant_id: string;
  consumer: string;
  provider: string;
  cause: 'dormant' | 'periodic';
  state: ReviewState;
  state_since: number;
  opened_at: number;
  /** Null once nobody's answer is waited for. */
  due_at: number | null;
  reminded_at: number | null;
  overdue_told_at: number | null;
  reason: string | null;
  confirmed_by: string | null;
  answer: string | null;
  answered_by: string | null;
  /** Null while it is open: a grant has one open review at most. */
  ended_at: number | null;
}

export interface ReviewFilter {
  readonly state?: ReviewState | undefined;
  readonly grant?: string | undefined;
  /** Only where this agency is consumer or provider. */
  readonly party?: string | undefined;
}

export async function findReview(knex: Knex, id: string): Promise<GrantReviewRow | undefined> {
  return await knex<GrantReviewRow>('grant_reviews').where({ id }).first();
}

export async function openReviews(knex: Knex): Promise<GrantReviewRow[]> {
  return await knex<GrantReviewRow>('grant_reviews').whereNull('ended_at').orderBy('id');
}

/** Every review of a grant, newest first. */
export async function reviewsOf(knex: Knex, grant: string): Promise<GrantReviewRow[]> {
  return await knex<GrantReviewRow>('grant_reviews').where({ grant_id: grant }).orderBy('opened_at', 'desc');
}

/** Grant → when its last review that is over ended. */
export async function lastReviewed(knex: Knex): Promise<ReadonlyMap<string, number>> {
  const rows: unknown = await knex('grant_reviews')
    .whereNotNull('ended_at')
    .groupBy('grant_id')
    .select('grant_id')
    .max({ at: 'ended_at' });
  return new Map((rows as { grant_id: string; at: number }[]).map(({ grant_id, at }) => [grant_id, at]));
}

export async function pageReviews(
  database: Database,
  { state, grant, party }: ReviewFilter,
  ask: PageAsk,
): Promise<Page<GrantReviewRow>> {
  const query = database.knex('grant_reviews').select();
  if (state !== undefined) void query.where({ state });
  if (grant !== undefined) void query.where({ grant_id: grant });
  if (party !== undefined)
    void query.where((either) => void either.where({ consumer: party }).orWhere({ provider: party }));
  return await pageOf<GrantReviewRow>(query, 'id', ask, database.engine);
}

export async function insertReview(knex: Knex, row: GrantReviewRow): Promise<void> {
  await knex<GrantReviewRow>('grant_reviews').insert(row);
}

export async function updateReview(knex: Knex, id: string, patch: Partial<GrantReviewRow>): Promise<void> {
  await knex<GrantReviewRow>('grant_reviews').where({ id }).update(patch);
}
