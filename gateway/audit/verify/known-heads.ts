/** A head of the log that was kept apart from it. */
export interface KnownHead {
  readonly size: number;
  /** Base64; null where only the size is known. */
  readonly root: string | null;
  /** What it is, for a person who reads a fault. */
  readonly from: string;
}

/** Passed in order while the tree grows over the log. */
export class KnownHeads {
  readonly #heads: readonly KnownHead[];
  #next = 0;
  /** The last head that the log was found to contain. */
  held: { readonly size: number; readonly root: Buffer } | undefined;

  constructor(heads: readonly KnownHead[]) {
    this.#heads = heads.filter(({ size }) => size > 0).sort((a, b) => a.size - b.size);
  }

  /** At which size the next one is to be passed. */
  get nextSize(): number | undefined {
    return this.#heads[this.#next]?.size;
  }

  get longest(): KnownHead | undefined {
    return this.#heads.at(-1);
  }

  /** Passes those of the next size. @returns the one whose root is another */
  pass(root: Buffer): KnownHead | undefined {
    const [size, own] = [this.nextSize, root.toString('base64')];
    for (let head = this.#heads[this.#next]; head?.size === size && head !== undefined; ) {
      if (head.root !== null && head.root !== own) return head;
      if (head.root !== null) this.held = { size: head.size, root };
      head = this.#heads[++this.#next];
    }
    return undefined;
  }
}
