import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder that holds `package.json`, whether this runs from the sources or from `dist/`. */
function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('package.json is not above this file');
  return findRoot(parent);
}

export const PACKAGE_ROOT = findRoot(import.meta.dirname);
