import type { Certificate } from 'pkijs';
import { BundleFault } from '../audit/evidence/fault.js';
import type { BundledWitness } from '../audit/evidence/format.js';
import { cosignedAt, parseWitnessKey, type WitnessKey } from './cosignature.js';
import { readCertificates, verifyToken } from './time-stamp.js';

/** What is trusted of a witness: the key of a tlog-witness, or the roots of a time-stamp authority. */
export type WitnessTrust = { readonly key: WitnessKey } | { readonly roots: readonly Certificate[] };

/**
 * @param text a vkey, or PEM certificates
 * @throws Error when it is neither
 */
export function readWitnessTrust(text: string): WitnessTrust {
  return text.includes('-----BEGIN ') ? { roots: readCertificates(text) } : { key: parseWitnessKey(text) };
}

const signedText = (note: string): string => note.slice(0, note.lastIndexOf('\n\n') + 1);

function cosigned({ name, checkpoint, form, evidence }: BundledWitness, key: WitnessKey): number {
  const text = signedText(checkpoint);
  if (form !== 'text' || signedText(evidence) !== text)
    throw new BundleFault('evidence', `what the witness ${name} gave is no cosignature over its head`);
  for (const line of evidence.slice(text.length + 1).split('\n')) {
    const at = cosignedAt(text, line, key);
    if (at !== null) return at * 1000;
  }
  throw new BundleFault('evidence', `no cosignature of the witness ${name} is by the key that is trusted`);
}

async function stamped(witness: BundledWitness, roots: readonly Certificate[]): Promise<number> {
  const { name, checkpoint, form, evidence } = witness;
  if (form !== 'base64')
    throw new BundleFault('evidence', `what the witness ${name} gave is no time-stamp token`);
  try {
    return (await verifyToken(Buffer.from(evidence, 'base64'), Buffer.from(checkpoint), roots, 'then')).at;
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it cannot be read';
    throw new BundleFault('evidence', `the time stamp of the witness ${name} does not hold: ${why}`);
  }
}

/**
 * Holds what a witness gave against what is trusted of it. That its head is one of this log is proved elsewhere.
 *
 * @returns when it saw that head, by its own word, milliseconds since the epoch
 * @throws BundleFault `evidence`
 */
export async function witnessedAt(witness: BundledWitness, trust: WitnessTrust): Promise<number> {
  return 'key' in trust ? cosigned(witness, trust.key) : await stamped(witness, trust.roots);
}
