import type { Egress } from '../../connectors/egress.js';
import { cosignedAt, parseWitnessKey, type WitnessKey } from './cosignature.js';
import { type Posted, post } from './post.js';
import { type Evidence, type SignedHead, type Witness, WitnessError } from './witness.js';

/** RFC 6962 proof that the tree of `to` leaves continues that of `from`. */
export type ConsistencyProver = (from: number, to: number) => Promise<readonly Buffer[]>;

export interface HttpWitnessOptions {
  readonly name: string;
  /** The witness's prefix; `/add-checkpoint` follows it. */
  readonly url: string;
  /** Its vkey: whose cosignature counts. */
  readonly verifierKey: string;
  readonly egress: Egress;
  readonly prove: ConsistencyProver;
}

const MEANINGS: Readonly<Record<number, string>> = {
  400: 'the witness could not read the request',
  403: 'the witness does not know the key of this log',
  404: 'the witness does not know this log',
  422: 'the witness does not accept the proof: it has seen another history',
};

/** The size that a witness last cosigned, when it says that ours is not it. */
function sizeOf({ status, type, body }: Posted): number | null {
  const text = body.toString('latin1').trim();
  return status === 409 && type.startsWith('text/x.tlog.size') && /^\d{1,15}$/.test(text)
    ? Number(text)
    : null;
}

class HttpWitness implements Witness {
  readonly kind = 'http';
  readonly name: string;
  readonly #options: HttpWitnessOptions;
  readonly #url: URL;
  readonly #key: WitnessKey;

  constructor(options: HttpWitnessOptions) {
    this.name = options.name;
    this.#options = options;
    this.#url = new URL(`${options.url.replace(/\/$/, '')}/add-checkpoint`);
    this.#key = parseWitnessKey(options.verifierKey);
  }

  async show(head: SignedHead, seen: number, signal: AbortSignal): Promise<Evidence> {
    const first = await this.#ask(head, seen, signal);
    const known = sizeOf(first);
    if (known === null) return this.#evidence(head, first);
    if (known > head.size)
      throw new WitnessError(
        `the witness has seen ${known} records, this log has ${head.size}: it was cut off or put back`,
      );
    // Another node, or one before a restart, was here in between.
    return this.#evidence(head, await this.#ask(head, known, signal));
  }

  async #ask(head: SignedHead, from: number, signal: AbortSignal): Promise<Posted> {
    const proof = from === 0 ? [] : await this.#options.prove(from, head.size);
    const lines = [`old ${from}`, ...proof.map((hash) => hash.toString('base64')), '', head.note];
    return await post(
      this.#options.egress,
      this.#url,
      { type: 'text/plain; charset=utf-8', body: lines.join('\n') },
      signal,
    );
  }

  #evidence({ note }: SignedHead, { status, body }: Posted): Evidence {
    if (status !== 200) throw new WitnessError(MEANINGS[status] ?? `the witness answered HTTP ${status}`);
    const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
    const lines = body
      .toString('utf8')
      .split('\n')
      .filter((line) => cosignedAt(text, line, this.#key) !== null);
    if (lines.length === 0)
      throw new WitnessError('the answer holds no cosignature by the key of this witness');
    return { form: 'text', content: `${note}${lines.map((line) => `${line}\n`).join('')}` };
  }
}

/**
 * A witness that speaks C2SP tlog-witness: it is shown that the new head continues the one that it saw, and cosigns.
 *
 * @throws RangeError for a malformed verifier key
 */
export function httpWitness(options: HttpWitnessOptions): Witness {
  return new HttpWitness(options);
}
