import { dirname } from 'node:path';
import { createConnector } from '../../../connectors/registry.js';
import { call, context, forever, openEgress } from '../context.js';

/* Started by a test as a process of its own, to be killed while its statement runs. */
const [file = ''] = process.argv.slice(2);
const connector = createConnector(
  {
    kind: 'sql',
    settings: { engine: 'sqlite', connection: { file } },
    operations: {
      op: {
        sql: 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) AS n FROM c',
      },
      first: { sql: 'SELECT 1 AS n' },
    },
    facts: [],
  },
  context({ egress: openEgress({ folders: [dirname(file)] }) }),
);
await connector.call(call({ operationId: 'first' }), forever());
void connector.call(call(), forever());
process.send?.('running');
