import { createHash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import yazl from 'yazl';
import type { FileDigest } from './format.js';

type Chunks = AsyncIterable<Buffer | string> | Iterable<Buffer | string>;

/** One file of the archive; asked for its bytes when those before it have left. */
export interface PackedFile {
  readonly name: string;
  readonly chunks: (before: Readonly<Record<string, FileDigest>>) => Chunks;
}

/** Digests what passes, and notes it at the end. */
async function* digested(chunks: Chunks, ended: (digest: FileDigest) => void): AsyncGenerator<Buffer> {
  const sum = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    const buffer = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    sum.update(buffer);
    bytes += buffer.length;
    yield buffer;
  }
  ended({ bytes, sha256: sum.digest('hex') });
}

/**
 * A ZIP as it is made: a file is begun when the one before has ended, and made no faster than it is taken.
 *
 * @throws whatever one of the files throws
 */
export async function* zipped(files: readonly PackedFile[], mtime: Date): AsyncGenerator<Buffer> {
  const archive = new yazl.ZipFile();
  const out = archive.outputStream.pipe(new PassThrough());
  const digests: Record<string, FileDigest> = {};
  let source: Readable | undefined;
  archive.on('error', (error: Error) => out.destroy(error));
  for (const { name, chunks } of files)
    archive.addReadStreamLazy(name, { mtime, mode: 0o100644 }, (give) => {
      const noted = (digest: FileDigest): void => void (digests[name] = digest);
      source = Readable.from(digested(chunks(digests), noted), { objectMode: false });
      source.on('error', (error) => out.destroy(error));
      give(null, source);
    });
  archive.end();
  try {
    for await (const chunk of out) yield chunk as Buffer;
  } finally {
    source?.destroy();
    out.destroy();
  }
}
