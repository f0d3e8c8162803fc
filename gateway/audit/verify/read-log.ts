import type { Engine } from '../../store/database.js';
import type { LogReader } from './log-reader.js';

/** Loads the one engine that is used. */
export async function openLogReader(engine: Engine, location: string): Promise<LogReader> {
  if (engine === 'sqlite') return new (await import('./read-sqlite.js')).SqliteLogReader(location);
  return await (await import('./read-postgres.js')).PostgresLogReader.open(location);
}
