import type { Config } from '../../base/config.js';
import type { Stage } from '../../base/exchange.js';
import { Problem } from '../../base/problem.js';
import type { AdminExchange } from '../exchanges.js';
import { exceeded, type Limits, limitHeaders } from '../limits.js';

/** Management clients and people have one limit each, the installation's. */
export function limitSystem({ limits, config }: { limits: Limits; config: Config }): Stage<AdminExchange> {
  return {
    name: 'limit',
    needs: ['allowed', 'caller'],
    gives: ['counted'],
    async run({ caller, extraHeaders }) {
      if (caller === null) throw new Problem('internal_error');
      const id = caller.user === undefined ? caller.system : `person:${caller.user}`;
      const count = await limits.count('management', id, config.limits.system);
      Object.assign(extraHeaders, limitHeaders([count]));
      if (!count.allowed) throw exceeded(count, id);
    },
  };
}
