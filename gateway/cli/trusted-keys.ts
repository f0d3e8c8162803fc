import { parseVerifierKey, type VerifierKey } from '../audit/checkpoint.js';
import { CommandFailure } from './failure.js';

/**
 * What `--key` says is trusted.
 *
 * @throws CommandFailure 2 when nothing is, or one is no verifier key
 */
export function trustedKeys(flags: readonly string[]): VerifierKey[] {
  if (flags.length === 0) throw new CommandFailure('--key is needed: the key of the log that you trust', 2);
  try {
    return flags.map(parseVerifierKey);
  } catch (error) {
    throw new CommandFailure(error instanceof Error ? error.message : 'a key cannot be read', 2);
  }
}
