import type { Checkpoint } from '../checkpoint.js';
import { inclusionSpans, split, verifyInclusion } from '../proofs.js';
import { leafHash, nodeHash } from '../tree.js';
import { BundleFault } from './fault.js';
import type { BundledRecord, ProofNode } from './format.js';

type Part = readonly [from: number, to: number, hash: Buffer];

async function nextOf<T>(source: AsyncIterator<T>): Promise<T | undefined> {
  const next = (await source.next()) as IteratorResult<T, undefined>;
  return next.value;
}

/**
 * Goes down from the signed root. A hash is believed only once its parent is, so that the first record that is not the one
 * in the log is found, and no other is blamed.
 */
class Walk {
  readonly #records: AsyncIterator<BundledRecord>;
  readonly #nodes: AsyncIterator<ProofNode>;
  readonly #seen: (record: BundledRecord) => void;
  #record: BundledRecord | undefined;
  #after: BundledRecord | undefined;

  constructor(
    records: AsyncIterator<BundledRecord>,
    nodes: AsyncIterator<ProofNode>,
    seen: (record: BundledRecord) => void,
  ) {
    [this.#records, this.#nodes, this.#seen] = [records, nodes, seen];
  }

  async from({ size, root }: Checkpoint): Promise<void> {
    this.#record = await nextOf(this.#records);
    this.#after = await nextOf(this.#records);
    const parts: Part[] = [[0, size, root]];
    for (let part = parts.pop(); part !== undefined; part = parts.pop())
      parts.push(...(await this.#enter(part)));
    if (this.#record !== undefined)
      throw new BundleFault('record', 'the record is not in the tree that was signed', this.#record.index);
    if ((await nextOf(this.#nodes)) !== undefined)
      throw new BundleFault('proof', 'the proof goes on after the last record');
  }

  /** @returns what is left to be entered, the left half last */
  async #enter([from, to, hash]: Part): Promise<Part[]> {
    const record = this.#record;
    if (record === undefined || record.index >= to) return [];
    const alone = this.#after === undefined || this.#after.index >= to;
    if (alone) {
      await this.#leaf(record, [from, to, hash]);
      return [];
    }
    const middle = from + split(to - from);
    const left = await this.#node(from, middle, record);
    const right = await this.#node(middle, to, record);
    if (!nodeHash(left, right).equals(hash))
      throw new BundleFault('proof', `the hashes below ${from}–${to} are not those of the log`, record.index);
    return [
      [middle, to, right],
      [from, middle, left],
    ];
  }

  async #leaf(record: BundledRecord, [from, to, hash]: Part): Promise<void> {
    const path: Buffer[] = [];
    for (const span of inclusionSpans(record.index, from, to)) path.push(await this.#node(...span, record));
    if (!verifyInclusion(leafHash(record.leaf), record.index - from, to - from, path, hash))
      throw new BundleFault('record', 'the record, or its proof, is not that of the log', record.index);
    this.#seen(record);
    this.#record = this.#after;
    this.#after = await nextOf(this.#records);
  }

  async #node(from: number, to: number, { index }: BundledRecord): Promise<Buffer> {
    const node = await nextOf(this.#nodes);
    if (node?.from === from && node.to === to) return node.hash;
    throw new BundleFault('proof', `the proof is one of other records: it lacks ${from}–${to}`, index);
  }
}

/**
 * Holds records against a signed tree, whatever their number, in the memory of two of them.
 *
 * @param records in the order of the log
 * @param seen told of each that holds
 * @throws BundleFault `record` or `proof`
 */
export async function walkProof(
  records: AsyncGenerator<BundledRecord>,
  nodes: AsyncGenerator<ProofNode>,
  checkpoint: Checkpoint,
  seen: (record: BundledRecord) => void,
): Promise<void> {
  try {
    await new Walk(records, nodes, seen).from(checkpoint);
  } finally {
    await records.return(undefined);
    await nodes.return(undefined);
  }
}
