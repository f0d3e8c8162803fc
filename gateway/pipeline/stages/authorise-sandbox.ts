import type { Clock } from '../../base/clock.js';
import type { Stage } from '../../base/exchange.js';
import { Problem } from '../../base/problem.js';
import type { Catalogue } from '../../catalogue/catalogue.js';
import type { DataExchange } from '../exchanges.js';
import { assertAgencyInForce, assertServiceInForce, assertSystemInForce } from '../in-force.js';

/** Nothing here is anybody's data: whoever is in force may try whatever is in force, without role or approval. */
export function authoriseSandbox({
  catalogue,
  clock,
}: {
  catalogue: Catalogue;
  clock: Clock;
}): Stage<DataExchange> {
  return {
    name: 'authorise',
    needs: ['service', 'caller', 'system', 'agency'],
    gives: ['allowed'],
    run({ system, agency, service }) {
      if (system === null || service === null) throw new Problem('internal_error');
      assertSystemInForce(system, clock);
      assertAgencyInForce(agency, system.row.agency_code, clock);
      assertServiceInForce(service, clock);
      assertAgencyInForce(catalogue.agency(service.row.provider), service.row.provider, clock);
    },
  };
}
