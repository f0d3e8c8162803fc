import type { Egress } from '../../connectors/egress.js';
import { createConnector } from '../../connectors/registry.js';
import type { Logger } from '../base/log.js';
import type { Catalogue } from '../catalogue/catalogue.js';
import type { OpenConnector } from '../catalogue/published-service.js';
import type { Sealing } from '../identity/sealing.js';
import type { Database } from '../store/database.js';
import { serviceCredentials } from '../store/services.js';

export interface SourceParts {
  readonly database: Database;
  readonly sealing: Sealing;
  readonly egress: Egress;
  readonly log: Logger;
}

/** What a sealed credential is bound to. */
export const credentialLabel = (service: string, name: string): string => `${service}#${name}`;

/** Opens the source of a service, with its credentials unsealed for it alone. */
export function connectorOpener({ database, sealing, egress, log }: SourceParts) {
  const open: OpenConnector = async (id, manifest, facts) => {
    const credentials: Record<string, string> = {};
    for (const { name, sealed } of await serviceCredentials(database.knex, id)) {
      credentials[name] = sealing.open('credential', credentialLabel(id, name), sealed).toString('utf8');
    }
    const { connector, operations, success } = manifest;
    return createConnector(
      { ...connector, operations, success, facts },
      { egress, log: log.child({ service: id }), credentials },
    );
  };
  return open;
}

const PROBE_MS = 5000;

/** Whether the source of a service answers, within the time that somebody waits for it. */
export async function probe(catalogue: Catalogue, id: string): Promise<{ ok: boolean; detail: string }> {
  const service = catalogue.service(id);
  if (service === undefined) return { ok: false, detail: 'not published' };
  try {
    const connector = await service.connector();
    return await connector.probe(AbortSignal.timeout(PROBE_MS));
  } catch {
    return { ok: false, detail: 'the source cannot be opened' };
  } finally {
    service.done();
  }
}
