import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Witness, WitnessError } from './witness.js';

async function writeDurably(file: string, text: string): Promise<void> {
  const draft = `${file}.tmp`;
  const handle = await open(draft, 'w', 0o644);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Heads as files in a folder that others mount, copy or print: `checkpoint-{size}` and the newest as `checkpoint`. */
export function folderWitness(name: string, folder: string): Witness {
  return {
    name,
    kind: 'folder',
    async show({ size, note }) {
      try {
        await writeDurably(join(folder, `checkpoint-${String(size).padStart(12, '0')}`), note);
        await writeDurably(join(folder, 'checkpoint'), note);
        await syncFolder(folder);
      } catch (cause) {
        const code = (cause as NodeJS.ErrnoException).code ?? 'unknown fault';
        throw new WitnessError(`the folder cannot be written: ${code}`, { cause });
      }
      return { form: 'text', content: note };
    },
  };
}
