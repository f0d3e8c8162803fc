import { type HashReader, inclusionSpans, type Span, spanHash, split } from '../proofs.js';
import type { ProofNode } from './format.js';

type Part = readonly [from: number, to: number, first: number, end: number];

/** How many of the sorted numbers between `first` and `end` are below `bound`, counted from the beginning. */
function below(sorted: readonly number[], bound: number, first: number, end: number): number {
  let [low, high] = [first, end];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? bound) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Whose hashes prove these leaves, each by itself: from the root downwards both halves of whatever holds two of them or
 * more, and the inclusion path within what holds one. What two leaves have in common is shown once.
 *
 * @param indexes ascending
 */
export function* provingSpans(indexes: readonly number[], size: number): Generator<Span> {
  const parts: Part[] = [[0, size, 0, indexes.length]];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const [from, to, first, end] = part;
    const only = indexes[first];
    if (first === end || only === undefined || to - from === 1) continue;
    if (end - first === 1) {
      yield* inclusionSpans(only, from, to);
      continue;
    }
    const middle = from + split(to - from);
    yield [from, middle];
    yield [middle, to];
    const cut = below(indexes, middle, first, end);
    parts.push([middle, to, cut, end], [from, middle, first, cut]);
  }
}

/** The same, with their hashes. */
export async function* provingNodes(
  read: HashReader,
  indexes: readonly number[],
  size: number,
): AsyncGenerator<ProofNode> {
  for (const span of provingSpans(indexes, size))
    yield { from: span[0], to: span[1], hash: await spanHash(read, span) };
}
