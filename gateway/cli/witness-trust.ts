import { readFileSync } from 'node:fs';
import { BundleFault } from '../audit/evidence/fault.js';
import type { EvidenceProver } from '../audit/evidence/verify.js';
import { readWitnessTrust, type WitnessTrust, witnessedAt } from '../witness/bundled-evidence.js';
import { CommandFailure } from './failure.js';

const VKEY = /^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/u;

function textOf(value: string): string {
  if (VKEY.test(value)) return value;
  try {
    return readFileSync(value, 'utf8');
  } catch {
    throw new CommandFailure(`--witness: ${value} is no verifier key, and no file that can be read`, 2);
  }
}

function trustIn(flag: string): [name: string, trust: WitnessTrust] {
  const at = flag.indexOf('=');
  if (at < 1) throw new CommandFailure(`--witness takes name=key or name=file, not ${flag}`, 2);
  try {
    return [flag.slice(0, at), readWitnessTrust(textOf(flag.slice(at + 1)))];
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(
      `--witness ${flag}: ${error instanceof Error ? error.message : 'unreadable'}`,
      2,
    );
  }
}

/** What the flags `--witness name=key` say is trusted. */
export interface TrustedWitnesses {
  readonly prove: EvidenceProver;
  /** @throws BundleFault `evidence` when the bundle held nothing of one that was named */
  assertAllProved(): void;
}

/** @throws CommandFailure 2 for a flag that cannot be used */
export function trustedWitnesses(flags: readonly string[]): TrustedWitnesses {
  const trusted = new Map(flags.map(trustIn));
  const left = new Set(trusted.keys());
  return {
    async prove(witness) {
      const trust = trusted.get(witness.name);
      if (trust === undefined) return null;
      left.delete(witness.name);
      return await witnessedAt(witness, trust);
    },
    assertAllProved() {
      const [name] = left;
      if (name !== undefined)
        throw new BundleFault('evidence', `the bundle holds nothing of the witness ${name}`);
    },
  };
}
