import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Egress } from '../egress.js';
import { SourceError } from '../connector.js';
import { DataSetError, type Row, readRows } from './rows.js';
import type { FileSettings } from './settings.js';

/** Rows of one version of the file, and what is derived from them at most once. */
export interface Version {
  readonly rows: readonly Row[];
}

const CHECK_MS = 1000;

interface Fingerprint {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
}

const same = (a: Fingerprint | null, b: Fingerprint): boolean =>
  a !== null && a.size === b.size && a.mtimeMs === b.mtimeMs && a.ino === b.ino;

/** A file in memory: looked at once a second at most, read anew when it changed, swapped whole. */
export class DataSet {
  readonly #settings: FileSettings;
  readonly #egress: Egress;
  readonly #now: () => number;
  #version: Version | null = null;
  #fingerprint: Fingerprint | null = null;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #checking: Promise<void> | null = null;
  #fault: string | null = null;

  constructor(settings: FileSettings, egress: Egress, now: () => number = Date.now) {
    this.#settings = settings;
    this.#egress = egress;
    this.#now = now;
  }

  /**
   * The newest version that could be read.
   *
   * @throws SourceError `unreachable` when there never was one
   */
  async current(): Promise<Version> {
    if (this.#now() - this.#checkedAt >= CHECK_MS) await this.check();
    if (this.#version === null) throw new SourceError('unreachable', this.#fault ?? 'the file was not read');
    return this.#version;
  }

  /** Looks at the file now; a new version that is broken leaves the old one in use. */
  async check(): Promise<void> {
    this.#checking ??= this.#look().finally(() => {
      this.#checkedAt = this.#now();
      this.#checking = null;
    });
    await this.#checking;
  }

  /** Why the file as it is now is not in use; null when it is. */
  get fault(): string | null {
    return this.#fault;
  }

  async #look(): Promise<void> {
    try {
      const path = this.#egress.assertFile(this.#settings.path);
      if (same(this.#fingerprint, await stat(path))) return;
      await this.#load(path);
      this.#fault = null;
    } catch (error) {
      this.#fault = error instanceof DataSetError ? error.message : 'the file is not there, or not allowed';
    }
  }

  async #load(path: string): Promise<void> {
    // Not blocking: an open FIFO would wait for a writer for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const before = await file.stat();
      if (!before.isFile()) throw new DataSetError('not a plain file');
      this.#fingerprint = before;
      const bytes = await readBounded(file, this.#settings.maxBytes);
      this.#version = { rows: readRows(bytes, this.#settings) };
      const after = await file.stat();
      // Written to while it was read: what we have may be half of each, so it is looked at again.
      if (!same(before, after)) this.#fingerprint = null;
    } finally {
      await file.close();
    }
  }
}

async function readBounded(file: FileHandle, maxBytes: number): Promise<Buffer> {
  const { size } = await file.stat();
  if (size > maxBytes) throw new DataSetError(`the file is larger than ${maxBytes} bytes`);
  const bytes = await file.readFile();
  if (bytes.length > maxBytes) throw new DataSetError(`the file is larger than ${maxBytes} bytes`);
  return bytes;
}
