import type { Database } from '../../store/database.js';
import { type Checkpoint, parseCheckpoint } from '../checkpoint.js';
import { type PagesAsk, recordPages } from '../export/pages.js';
import type { PublishedKeys } from '../published-keys.js';
import type { AuditRecord } from '../record.js';
import type { RecordReader } from '../search/reader.js';
import { storedTree } from '../stored-tree.js';
import {
  BUNDLE_FORMAT,
  BUNDLE_VERSION,
  FILES,
  type FileDigest,
  type Manifest,
  proofLine,
  recordLine,
  witnessFile,
} from './format.js';
import { provingNodes } from './prove.js';
import { summaryText } from './summary.js';
import { Tally } from './tally.js';
import { bundledWitnesses } from './witnessed.js';
import { type PackedFile, zipped } from './zip-out.js';

const LEAVES_AT_ONCE = 500;
const LINES_AT_ONCE = 1000;

export interface BundleAsk {
  readonly database: Database;
  readonly reader: RecordReader;
  readonly selection: Omit<PagesAsk, 'cut' | 'below'>;
  readonly head: { readonly size: number; readonly note: string };
  readonly keys: PublishedKeys;
  readonly about: Pick<Manifest, 'made' | 'maker' | 'scope' | 'filters'>;
}

/** What is known of a bundle while it is made. */
export interface BundleProgress {
  readonly count: number;
  readonly cut: boolean;
}

/** Makes one bundle. The places of its records are held in memory, their leaves are not. */
class Bundle {
  readonly #ask: BundleAsk;
  readonly #checkpoint: Checkpoint;
  readonly #tally = new Tally();
  #indexes: number[] = [];
  #cut = false;

  constructor(ask: BundleAsk, checkpoint: Checkpoint) {
    this.#ask = ask;
    this.#checkpoint = checkpoint;
  }

  get progress(): BundleProgress {
    return { count: this.#tally.count, cut: this.#cut };
  }

  async files(): Promise<PackedFile[]> {
    const { database, head, keys } = this.#ask;
    const witnesses = await bundledWitnesses(database, storedTree(database), head.size);
    const text = (
      name: string,
      make: (before: Readonly<Record<string, FileDigest>>) => string,
    ): PackedFile => ({
      name,
      chunks: (before) => [make(before)],
    });
    return [
      text(FILES.checkpoint, () => head.note),
      text(FILES.keys, () => pretty(keys)),
      ...witnesses.map((one) => text(witnessFile(one.name), () => pretty(one))),
      { name: FILES.records, chunks: () => this.#records() },
      { name: FILES.proof, chunks: () => this.#proof() },
      text(FILES.summary, () => this.#summary()),
      text(FILES.manifest, (before) => pretty(this.#manifest(before))),
    ];
  }

  /** Searches go by time; the tree goes by place. */
  async #find(): Promise<void> {
    const { reader, selection, head } = this.#ask;
    const found: number[] = [];
    const ask = { ...selection, below: head.size, cut: () => (this.#cut = true) };
    for await (const page of recordPages(reader, ask)) for (const { index } of page) found.push(index);
    this.#indexes = found.sort((a, b) => a - b);
  }

  async *#records(): AsyncGenerator<string> {
    await this.#find();
    const { reader } = this.#ask;
    for (let at = 0; at < this.#indexes.length; at += LEAVES_AT_ONCE) {
      const wanted = this.#indexes.slice(at, at + LEAVES_AT_ONCE);
      const asked = reader.knex('records').whereIn('seq', wanted).orderBy('seq').select('seq', 'leaf');
      const [rows = []] = (await reader.read([asked])) as [{ seq: number; leaf: string }[]?];
      if (rows.length !== wanted.length) throw new Error('records went missing during an export');
      for (const { leaf } of rows) this.#tally.add(JSON.parse(leaf) as AuditRecord);
      yield rows.map(({ seq, leaf }) => recordLine({ index: seq, leaf })).join('');
    }
  }

  async *#proof(): AsyncGenerator<string> {
    const { database, head } = this.#ask;
    let lines: string[] = [];
    for await (const node of provingNodes(storedTree(database), this.#indexes, head.size)) {
      lines.push(proofLine(node));
      if (lines.length < LINES_AT_ONCE) continue;
      yield lines.join('');
      lines = [];
      // Tiles that are held make no pause of their own; others have their turn here.
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (lines.length > 0) yield lines.join('');
  }

  #summary(): string {
    return summaryText({ ...this.#ask.about, cut: this.#cut }, this.#tally, this.#checkpoint);
  }

  #manifest(files: Readonly<Record<string, FileDigest>>): Manifest {
    const { made, maker, scope, filters } = this.#ask.about;
    const { count, cut } = this.progress;
    const { origin, size } = this.#checkpoint;
    const head = { format: BUNDLE_FORMAT, version: BUNDLE_VERSION, made, maker, scope, filters } as const;
    return { ...head, cut, records: count, origin, size, files: { ...files } };
  }
}

const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/**
 * An evidence bundle, as bytes of a ZIP that is made while it is taken.
 *
 * @returns what is known of it at any moment, and the bytes
 */
export function makeBundle(ask: BundleAsk): {
  readonly progress: () => BundleProgress;
  readonly chunks: () => AsyncGenerator<Buffer>;
} {
  const checkpoint = parseCheckpoint(ask.head.note);
  if (checkpoint === null) throw new RangeError('the stored checkpoint is none');
  const bundle = new Bundle(ask, checkpoint);
  const chunks = async function* (): AsyncGenerator<Buffer> {
    yield* zipped(await bundle.files(), new Date(ask.about.made));
  };
  return { progress: () => bundle.progress, chunks };
}
