import type { Engine } from '../../store/database.js';
import type { LogReader } from './log-reader.js';
import { ArchivedLogReader } from './read-archived.js';

/** Loads the one engine that is used. */
async function openTable(engine: Engine, location: string): Promise<LogReader> {
  if (engine === 'sqlite') return new (await import('./read-sqlite.js')).SqliteLogReader(location);
  return await (await import('./read-postgres.js')).PostgresLogReader.open(location);
}

/** @param archive folder of the sealed segments; null where nothing was sealed */
export async function openLogReader(
  engine: Engine,
  location: string,
  archive: string | null,
): Promise<LogReader> {
  return new ArchivedLogReader(await openTable(engine, location), archive);
}
