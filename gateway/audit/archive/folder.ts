import { access, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Knex } from 'knex';
import type { Config } from '../../base/config.js';
import { sealedEnd, segmentsBetween } from '../../store/log-segments.js';
import { segmentNames } from './segment.js';

type ArchiveSettings = Pick<Config, 'dataDir' | 'databaseUrl' | 'retention'>;

/** Where sealed segments are kept; null when nothing is sealed. Several nodes need one that they share, and must name it. */
export function archiveFolder({ dataDir, databaseUrl, retention }: ArchiveSettings): string | null {
  if (retention.folder !== undefined) return retention.folder === '' ? null : retention.folder;
  const embedded = databaseUrl === undefined || databaseUrl.startsWith('sqlite:');
  return embedded ? join(dataDir, 'archive') : null;
}

/**
 * The folder must be the one that holds what was sealed before: on a machine where it is not mounted, an empty one stands in
 * its place.
 *
 * @throws Error
 */
export async function assertArchive(folder: string, knex: Knex): Promise<void> {
  const end = await sealedEnd(knex);
  if (end === 0) return;
  const [last] = await segmentsBetween(knex, end - 1, end);
  if (last === undefined) return;
  await access(join(folder, last.name)).catch(() => {
    throw new Error(`${folder} does not hold ${last.name}, the segment that was sealed last: is it mounted?`);
  });
}

/**
 * Files of a segment that begins here and that the database does not know: a stop before it was entered, or a database that
 * was brought back from a backup. They may be evidence: nobody deletes them.
 *
 * @param now milliseconds since the epoch, under which they are kept
 */
export async function setAside(folder: string, from: number, now: number): Promise<void> {
  const stem = `${segmentNames(from, from).descriptor.slice(0, 'log-000000000000'.length)}-`;
  const names = await readdir(folder).catch(() => []);
  const found = names.filter((name) => name.startsWith(stem) && !name.endsWith('.draft'));
  if (found.length === 0) return;
  const aside = join(folder, 'superseded', String(now));
  await mkdir(aside, { recursive: true, mode: 0o700 });
  for (const name of found) await rename(join(folder, name), join(aside, name));
}
