import type { Config } from '../../base/config.js';
import type { Stage } from '../../base/exchange.js';
import { Problem } from '../../base/problem.js';
import type { AdminExchange } from '../exchanges.js';
import { exceeded, type Limits, limitHeaders } from '../limits.js';

/** Management clients have one limit, the installation's. */
export function limitSystem({ limits, config }: { limits: Limits; config: Config }): Stage<AdminExchange> {
  return {
    name: 'limit',
    needs: ['allowed', 'system'],
    gives: ['counted'],
    async run({ system, extraHeaders }) {
      if (system === null) throw new Problem('internal_error');
      const count = await limits.count('management', system.row.id, config.limits.system);
      Object.assign(extraHeaders, limitHeaders([count]));
      if (!count.allowed) throw exceeded(count, system.row.id);
    },
  };
}
