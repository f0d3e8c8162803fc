import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Io } from '../../gateway/cli/io.js';

/** A folder of its own for a test, with these files. */
export function folderWith(files: Readonly<Record<string, string | Buffer>>): { path: string; drop(): void } {
  const path = mkdtempSync(join(tmpdir(), 'lgsp-cli-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return { path, drop: () => rmSync(path, { recursive: true, force: true }) };
}

/** What a command wrote. */
export class Terminal implements Io {
  readonly env: Record<string, string | undefined>;
  stdout = '';
  stderr = '';

  constructor(env: Record<string, string | undefined> = {}) {
    this.env = env;
  }

  out(text: string): void {
    this.stdout += `${text}\n`;
  }

  err(text: string): void {
    this.stderr += `${text}\n`;
  }
}
