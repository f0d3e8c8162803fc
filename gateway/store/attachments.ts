import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Files that belong to documents, each kept once under its own digest, outside the database. */
export interface AttachmentStore {
  /**
   * Keeps the bytes durably.
   *
   * @returns their hexadecimal SHA-256
   */
  put(bytes: Buffer): Promise<string>;
  /** @throws Error when the file is not there, or is not what it was */
  get(sha256: string): Promise<Buffer>;
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function exists(file: string): Promise<boolean> {
  return await stat(file).then(
    () => true,
    () => false,
  );
}

/** Whole and on the disk, or not there at all. */
async function writeWhole(folder: string, file: string, bytes: Buffer): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** @param root a folder that every node of the installation reaches */
export function openAttachments(root: string): AttachmentStore {
  const placeOf = (sha256: string) => join(root, sha256.slice(0, 2));
  return {
    async put(bytes) {
      const sha256 = digest(bytes);
      const folder = placeOf(sha256);
      const file = join(folder, sha256);
      if (!(await exists(file))) await writeWhole(folder, file, bytes);
      return sha256;
    },
    async get(sha256) {
      const bytes = await readFile(join(placeOf(sha256), sha256));
      if (digest(bytes) !== sha256) throw new Error(`attachment ${sha256} was changed on the disk`);
      return bytes;
    },
  };
}
