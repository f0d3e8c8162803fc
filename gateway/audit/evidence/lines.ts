import { createHash } from 'node:crypto';
import { HASH_BYTES } from '../tree.js';
import { BundleFault } from './fault.js';
import { type BundledRecord, type FileDigest, MOST_LINE_BYTES, type ProofNode } from './format.js';

const NEWLINE = 0x0a;
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const malformed = (name: string, line: number): BundleFault =>
  new BundleFault('malformed', `line ${line} of ${name} is not of its form`);

/** Text of bytes that are UTF-8 and nothing else. */
export function textOf(bytes: Buffer, name: string): string {
  try {
    return strict.decode(bytes);
  } catch {
    throw new BundleFault('malformed', `${name} is not UTF-8`);
  }
}

/** Lines of a file, each ended by a newline and none longer than a bundle's. */
async function* linesOf(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let held = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      yield textOf(Buffer.concat([...rest, chunk.subarray(from, at)]), name);
      [rest, held, from] = [[], 0, at + 1];
    }
    if (from === chunk.length) continue;
    rest.push(chunk.subarray(from));
    held += chunk.length - from;
    if (held > MOST_LINE_BYTES) throw new BundleFault('malformed', `a line of ${name} is too long`);
  }
  if (held > 0) throw new BundleFault('malformed', `${name} ends within a line`);
}

const isPlace = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function recordIn(value: unknown): BundledRecord | null {
  if (typeof value !== 'object' || value === null || Object.keys(value).join() !== 'index,leaf') return null;
  const { index, leaf } = value as Partial<Record<keyof BundledRecord, unknown>>;
  // Half of a surrogate pair would be hashed as another letter.
  if (!isPlace(index) || typeof leaf !== 'string' || Buffer.from(leaf).toString() !== leaf) return null;
  return { index, leaf };
}

function nodeIn(value: unknown): ProofNode | null {
  if (!Array.isArray(value) || value.length !== 3) return null;
  const [from, to, text] = value as readonly unknown[];
  if (!isPlace(from) || !isPlace(to) || typeof text !== 'string') return null;
  const hash = Buffer.from(text, 'base64');
  return hash.length === HASH_BYTES && hash.toString('base64') === text ? { from, to, hash } : null;
}

async function* parsed<T>(
  chunks: AsyncIterable<Buffer>,
  name: string,
  read: (value: unknown) => T | null,
): AsyncGenerator<T> {
  let line = 0;
  for await (const text of linesOf(chunks, name)) {
    line += 1;
    let value: T | null;
    try {
      value = read(JSON.parse(text));
    } catch {
      value = null;
    }
    if (value === null) throw malformed(name, line);
    yield value;
  }
}

export const recordsIn = (chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<BundledRecord> =>
  parsed(chunks, name, recordIn);

export const nodesIn = (chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<ProofNode> =>
  parsed(chunks, name, nodeIn);

/** Bytes that are digested while they pass. */
export class Digested {
  readonly #chunks: AsyncIterable<Buffer>;
  readonly #sum = createHash('sha256');
  #bytes = 0;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for await (const chunk of this.#chunks) {
      this.#sum.update(chunk);
      this.#bytes += chunk.length;
      yield chunk;
    }
  }

  /** Once all of it has passed. */
  digest(): FileDigest {
    return { bytes: this.#bytes, sha256: this.#sum.digest('hex') };
  }
}
