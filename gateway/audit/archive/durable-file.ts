import { createHash } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Encrypter } from 'age-encryption';
import type { FileDigest } from '../evidence/format.js';

/** Takes bytes, and says at the end what came to stand on the disk. */
export interface Sink {
  write(bytes: Uint8Array): Promise<void>;
  /** Everything is on the disk. */
  end(): Promise<FileDigest>;
  /** Nothing more comes. */
  abort(): Promise<void>;
}

const DRAFT = '.draft';

/** A file under a name that nobody takes for the finished one. */
class Draft implements Sink {
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');
  #bytes = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += (await this.#handle.write(bytes, at)).bytesWritten;
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
  }

  async end(): Promise<FileDigest> {
    await this.#handle.sync();
    await this.#handle.close();
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  async abort(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
  }
}

/** Encrypts on the way (age, age-encryption.org/v1): what is written is never on the disk in clear. */
class Encrypted implements Sink {
  readonly #draft: Draft;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #pumped: Promise<void>;

  constructor(draft: Draft, recipients: readonly string[]) {
    this.#draft = draft;
    const encrypter = new Encrypter();
    for (const one of recipients) encrypter.addRecipient(one);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    this.#writer = writable.getWriter();
    this.#pumped = (async () => {
      const encrypted = await encrypter.encrypt(readable);
      for await (const chunk of encrypted) await draft.write(chunk);
    })();
    this.#pumped.catch(() => undefined);
  }

  async write(bytes: Uint8Array): Promise<void> {
    // When the file cannot be written, nobody reads on: the fault is that of the file.
    const failed = this.#pumped.then(() => new Promise<never>(() => undefined));
    await Promise.race([this.#writer.write(bytes), failed]);
  }

  async end(): Promise<FileDigest> {
    await Promise.race([this.#writer.close(), this.#pumped]);
    await this.#pumped;
    return await this.#draft.end();
  }

  async abort(): Promise<void> {
    await this.#writer.abort().catch(() => undefined);
    await this.#draft.abort();
  }
}

/** @param recipients age public keys; with none, anybody reads the file */
export async function createDraft(
  folder: string,
  name: string,
  recipients: readonly string[] = [],
): Promise<Sink> {
  const draft = new Draft(await open(join(folder, name + DRAFT), 'w', 0o600));
  return recipients.length === 0 ? draft : new Encrypted(draft, recipients);
}

export const draftName = (name: string): string => name + DRAFT;

/**
 * From drafts to files, durably: after this they are there, all of them.
 *
 * @throws Error when one of them is there already: nothing that was sealed is written over
 */
export async function publishDrafts(folder: string, names: readonly string[]): Promise<void> {
  const there = new Set(await readdir(folder));
  const taken = names.find((name) => there.has(name));
  if (taken !== undefined) throw new Error(`${taken} is there already`);
  for (const name of names) await rename(join(folder, name + DRAFT), join(folder, name));
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** What a sealing that was cut off left behind. */
export async function removeDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (name.startsWith('log-') && name.endsWith(DRAFT)) await rm(join(folder, name), { force: true });
}
