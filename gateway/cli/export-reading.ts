import { stringify } from 'yaml';
import type { ApiAnswer, ManagementApi } from './api.js';
import { refusal } from './refused.js';
import { escapePlaceholders } from './substitute.js';

/** @throws CommandFailure with the refusal */
export async function ask(api: ManagementApi, path: string): Promise<ApiAnswer> {
  const answer = await api.request('GET', path);
  if (answer.status >= 400) throw refusal(`GET ${path}`, answer);
  return answer;
}

export async function read<T>(api: ManagementApi, path: string): Promise<T> {
  return (await ask(api, path)).body as T;
}

/** Every page of a list. */
export async function all<T>(api: ManagementApi, path: string): Promise<T[]> {
  const items: T[] = [];
  let cursor = '';
  for (;;) {
    const page = await read<{ items: T[]; next: string | null }>(api, `${path}?limit=500${cursor}`);
    items.push(...page.items);
    if (page.next === null) return items;
    cursor = `&cursor=${encodeURIComponent(page.next)}`;
  }
}

/** What is null there is simply not written here. */
export function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== undefined),
  );
}

export const yaml = (value: unknown): string =>
  stringify(escapePlaceholders(value), { lineWidth: 0, version: '1.2' });
