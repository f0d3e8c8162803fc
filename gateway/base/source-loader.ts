import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/**
 * Where the loader is that lets a child process or worker thread run our sources (`.ts`) as they are: in tests and
 * development only. The built product never asks.
 *
 * @param entry `tsx` for `--import`, `tsx/esm/api` for a thread that loads itself
 */
export function sourceLoader(entry: 'tsx' | 'tsx/esm/api'): string {
  // `require` finds the CommonJS build of an entry that has two; its ES module lies beside it.
  return pathToFileURL(
    createRequire(import.meta.url)
      .resolve(entry)
      .replace(/\.cjs$/, '.mjs'),
  ).href;
}
