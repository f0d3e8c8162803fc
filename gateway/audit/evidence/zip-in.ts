import type { Readable } from 'node:stream';
import yauzl from 'yauzl';
import { BundleFault } from './fault.js';
import { FILES, MOST_WITNESSES, mostBytes, WITNESS_FILE } from './format.js';

const FIXED = new Set<string>(Object.values(FILES));
const ENTRIES = FIXED.size + MOST_WITNESSES;

const malformed = (message: string): BundleFault => new BundleFault('malformed', message);

/** The files of a bundle, unpacked nowhere. */
export interface BundleFiles {
  readonly names: readonly string[];
  /** Bytes of one file, while they are taken; at most `mostBytes` of it. */
  stream(name: string): AsyncIterable<Buffer>;
  /** The whole of one that is small enough. */
  held(name: string): Promise<Buffer>;
  close(): void;
}

function assertFits(entry: yauzl.Entry, known: ReadonlyMap<string, yauzl.Entry>): void {
  const { fileName, uncompressedSize } = entry;
  const shown = JSON.stringify(fileName);
  if (!FIXED.has(fileName) && !WITNESS_FILE.test(fileName))
    throw malformed(`${shown} is no file of a bundle`);
  if (known.has(fileName)) throw malformed(`${shown} is there twice`);
  if (entry.isEncrypted() || !entry.canDecodeFileData()) throw malformed(`${shown} is packed in another way`);
  if (uncompressedSize > mostBytes(fileName)) throw malformed(`${shown} is larger than in any bundle`);
}

async function entriesOf(zip: yauzl.ZipFile): Promise<Map<string, yauzl.Entry>> {
  if (zip.entryCount > ENTRIES) throw malformed('the file holds more than a bundle does');
  const entries = new Map<string, yauzl.Entry>();
  for await (const entry of zip.eachEntry()) {
    assertFits(entry, entries);
    entries.set(entry.fileName, entry);
  }
  for (const name of FIXED) if (!entries.has(name)) throw malformed(`${name} is missing`);
  return entries;
}

/** What the library says of broken archives, in our words; what we say ourselves stays. */
function asFault(error: unknown): BundleFault {
  if (error instanceof BundleFault) return error;
  return malformed(`the file cannot be unpacked: ${error instanceof Error ? error.message : 'unknown'}`);
}

async function* bytesOf(zip: yauzl.ZipFile, name: string, entry: yauzl.Entry): AsyncGenerator<Buffer> {
  let stream: Readable | undefined;
  let bytes = 0;
  try {
    stream = await zip.openReadStreamPromise(entry);
    for await (const chunk of stream) {
      bytes += (chunk as Buffer).length;
      if (bytes > mostBytes(name)) throw malformed(`${name} is larger than in any bundle`);
      yield chunk as Buffer;
    }
  } catch (error) {
    throw asFault(error);
  } finally {
    stream?.destroy();
  }
}

async function held(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of chunks) parts.push(part);
  return Buffer.concat(parts);
}

/**
 * Opens a bundle. Nothing is unpacked that it need not hold: names that are none of its own, twice the same, or sizes past
 * every bound are refused before a byte is read.
 *
 * @throws BundleFault `malformed`
 */
export async function openBundle(file: string): Promise<BundleFiles> {
  let zip: yauzl.ZipFile | undefined;
  try {
    const opened = await yauzl.openPromise(file, { autoClose: false, strictFileNames: true });
    zip = opened;
    const entries = await entriesOf(opened);
    const stream = (name: string): AsyncIterable<Buffer> => {
      const entry = entries.get(name);
      if (entry === undefined) throw malformed(`${name} is missing`);
      return bytesOf(opened, name, entry);
    };
    return {
      names: [...entries.keys()],
      stream,
      held: (name) => held(stream(name)),
      close: () => opened.close(),
    };
  } catch (error) {
    zip?.close();
    throw asFault(error);
  }
}
