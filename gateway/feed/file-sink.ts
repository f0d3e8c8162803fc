import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { vietnamDay } from '../base/calendar.js';
import type { Clock } from '../base/clock.js';
import type { FileSink } from '../base/config-feed.js';
import type { Entry, OpenSink, Place } from './entry.js';

const MODE = 0o640;
const LOOK_BACK = 65_536;

/** Where the last whole line ends: what follows it was being written when somebody pulled the plug. */
async function endOfLines(file: FileHandle, size: number): Promise<number> {
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - LOOK_BACK);
    const { buffer } = await file.read(Buffer.alloc(end - from), 0, end - from, from);
    const at = buffer.lastIndexOf(0x0a);
    if (at >= 0) return from + at + 1;
    end = from;
  }
  return 0;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

class JsonlFile implements OpenSink {
  readonly lost = new Promise<never>(() => undefined);
  readonly #sink: FileSink;
  readonly #clock: Clock;
  #file: FileHandle;
  #size = 0;
  #day = '';
  #seq: number;

  private constructor(sink: FileSink, clock: Clock, file: FileHandle, seq: number) {
    this.#sink = sink;
    this.#clock = clock;
    this.#file = file;
    this.#seq = seq;
  }

  static async open(sink: FileSink, clock: Clock, from: Place): Promise<JsonlFile> {
    const made = new JsonlFile(sink, clock, await open(sink.path, 'a+', MODE), from.seq);
    try {
      await made.#begin();
      return made;
    } catch (error) {
      await made.#file.close();
      throw error;
    }
  }

  get place(): Place {
    return { seq: this.#seq, resume: this.#seq };
  }

  async send(entries: readonly Entry[]): Promise<void> {
    const last = entries.at(-1);
    if (last === undefined) return;
    await this.#turn(entries[0]?.seq ?? 0);
    const lines = entries.map(({ seq, leaf }) => `{"index":${seq},${leaf.slice(1)}\n`).join('');
    const bytes = Buffer.from(lines);
    try {
      await this.#file.appendFile(bytes);
      await this.#file.datasync();
    } catch (error) {
      // A full disk may have taken half a line.
      await this.#file.truncate(this.#size).catch(() => undefined);
      throw error;
    }
    this.#size += bytes.length;
    this.#seq = last.seq;
  }

  async close(): Promise<boolean> {
    await this.#file.close();
    return true;
  }

  async #begin(): Promise<void> {
    const { size, mtimeMs } = await this.#file.stat();
    await this.#file.chmod(MODE);
    this.#size = await endOfLines(this.#file, size);
    if (this.#size < size) await this.#file.truncate(this.#size);
    this.#day = vietnamDay(this.#size === 0 ? this.#clock.now() : mtimeMs);
    await syncFolder(this.#sink.path);
  }

  async #turn(seq: number): Promise<void> {
    const { path, maxBytes, daily } = this.#sink;
    const today = vietnamDay(this.#clock.now());
    if (this.#size === 0) this.#day = today;
    if (this.#size < maxBytes && !(daily && this.#day !== today)) return;
    // The index that follows makes the name unique, and sorts.
    await rename(path, `${path}.${this.#day}.${String(seq).padStart(12, '0')}`);
    const before = this.#file;
    this.#file = await open(path, 'a+', MODE);
    await before.close();
    await this.#begin();
    await this.#prune();
  }

  async #prune(): Promise<void> {
    const { path, keep } = this.#sink;
    if (keep === 0) return;
    const prefix = `${basename(path)}.`;
    const aside = (await readdir(dirname(path))).filter(
      (name) => name.startsWith(prefix) && /^\d{4}-\d\d-\d\d\.\d{12,}$/.test(name.slice(prefix.length)),
    );
    for (const name of aside.sort().slice(0, -keep)) await rm(join(dirname(path), name));
  }
}

/** Opens a file for JSON lines. What is in it is kept, but for half a line at its end, whose record comes again. */
export function openFile(sink: FileSink, clock: Clock, from: Place): Promise<OpenSink> {
  return JsonlFile.open(sink, clock, from);
}
