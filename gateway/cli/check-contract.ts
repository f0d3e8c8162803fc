import type { Egress } from '../../connectors/egress.js';
import { checkConnector } from '../../connectors/registry.js';
import { Problem } from '../base/problem.js';
import { type CheckResult, checkService } from '../catalogue/check.js';

/** Without a node's settings nobody can say which addresses it allows, so none is judged. */
const ANYWHERE: Egress = {
  assertHost: () => undefined,
  lookup: () => {
    throw new Error('nothing is looked up during a check');
  },
  resolve: (host) => Promise.resolve(host),
  assertFile: (path) => path,
};

export interface Contract {
  readonly manifest: unknown;
  readonly document: string;
  readonly credentialNames: readonly string[];
}

/** A check that is refused outright, as a state secret is, is a check with a fault. */
function asResult(error: unknown): CheckResult {
  if (!(error instanceof Problem)) throw error;
  return { ok: false, faults: error.parts.errors ?? [] };
}

/**
 * What the gateway would say of a service, found without one.
 *
 * @param egress the rules of the node it is meant for; null judges no address
 */
export async function checkContract(contract: Contract, egress: Egress | null): Promise<CheckResult> {
  const { manifest, document, credentialNames } = contract;
  return await checkService({
    manifest,
    document,
    checkConnector: ({ connector, operations, success }, facts) =>
      checkConnector(
        { ...connector, operations, success, facts },
        { egress: egress ?? ANYWHERE, credentialNames },
      ),
  }).catch(asResult);
}
