import { randomBytes } from 'node:crypto';
import type { Egress } from '../../connectors/egress.js';
import { post } from './post.js';
import { readCertificates, timeStampRequest, verifyAnswer } from './time-stamp.js';
import { type Witness, WitnessError } from './witness.js';

export interface TsaWitnessOptions {
  readonly name: string;
  readonly url: string;
  /** PEM of the roots that its certificate may lead to. */
  readonly roots: string;
  readonly egress: Egress;
}

/** Eight bytes that are a positive integer in DER, neither shortened nor negative. */
function newNonce(): Buffer {
  const nonce = randomBytes(8);
  nonce[0] = ((nonce[0] as number) & 0x3f) | 0x40;
  return nonce;
}

/**
 * A time-stamp authority, RFC 3161: it vouches that the note existed at a time, and knows nothing of logs.
 *
 * @throws Error when the roots are no certificates
 */
export function tsaWitness({ name, url, roots, egress }: TsaWitnessOptions): Witness {
  const trusted = readCertificates(roots);
  return {
    name,
    kind: 'tsa',
    async show({ note }, _seen, signal) {
      const data = Buffer.from(note);
      const nonce = newNonce();
      const body = timeStampRequest(data, nonce);
      const answer = await post(egress, new URL(url), { type: 'application/timestamp-query', body }, signal);
      if (answer.status !== 200) throw new WitnessError(`the authority answered HTTP ${answer.status}`);
      try {
        const { token } = await verifyAnswer(answer.body, data, nonce, trusted);
        return { form: 'base64', content: token.toString('base64') };
      } catch (cause) {
        throw new WitnessError(cause instanceof Error ? cause.message : 'the answer is no time stamp', {
          cause,
        });
      }
    },
  };
}
