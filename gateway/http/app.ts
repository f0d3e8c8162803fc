import express, {
  type Express,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { Config } from '../base/config.js';
import type { Logger } from '../base/log.js';
import type { Limits } from '../pipeline/limits.js';
import type { PortalAssets, PortalRoute } from '../portal/portal.js';
import { AddressSet } from '../base/address-set.js';
import type { Gate } from './gate.js';
import type { Metrics } from './metrics.js';

/** What a probe found: `ok` decides the status, the rest is for the operators. */
export interface Readiness {
  readonly ok: boolean;
  readonly parts: Readonly<Record<string, { ok: boolean; detail?: string }>>;
}

export interface AppParts {
  readonly config: Config;
  readonly log: Logger;
  readonly gate: Gate;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly portal: readonly PortalRoute[];
  readonly assets: readonly PortalAssets[];
  /** The authorization server, mounted at `/oidc`. */
  readonly authorizationServer: (request: Request, response: Response, next: NextFunction) => void;
  readonly readiness: () => Promise<Readiness>;
}

type AsyncHandler = (request: Request, response: Response) => Promise<void>;

const awaited =
  (handler: AsyncHandler): RequestHandler =>
  (request, response, next) => {
    handler(request, response).catch(next);
  };

/** Health for everybody, its details and the metrics only for the addresses that the settings name. */
function operations(app: Express, { config, gate, metrics, readiness }: AppParts): void {
  const insiders = new AddressSet(config.metricsAddresses);
  const inside = (request: Request): boolean => insiders.has(gate.addressOf(request));
  app.get('/livez', (_request, response) => {
    response.type('text/plain').send('ok\n');
  });
  app.get(
    '/readyz',
    awaited(async (request, response) => {
      const { ok, parts } = await readiness();
      response.status(ok ? 200 : 503);
      if (inside(request)) response.json({ ok, parts });
      else response.json({ ok });
    }),
  );
  app.get(
    '/metrics',
    awaited(async (request, response) => {
      if (!inside(request)) {
        await gate.document(request, response, null);
        return;
      }
      response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
    }),
  );
}

function portalPages(app: Express, { gate, portal, assets }: AppParts): void {
  for (const route of portal) {
    app.get(
      route.path,
      awaited((request, response) => {
        const query = Object.fromEntries(
          Object.entries(request.query).map(([name, value]) => [
            name,
            typeof value === 'string' ? value : undefined,
          ]),
        );
        const page = (): ReturnType<PortalRoute['render']> =>
          route.render(request.params as Record<string, string>, query, request.headers['accept-language']);
        return gate.page(request, response, page);
      }),
    );
  }
  const forever = {
    index: false,
    redirect: false,
    maxAge: '1h',
    setHeaders: (response: Response) => response.setHeader('x-content-type-options', 'nosniff'),
  } as const;
  for (const { mount, folder } of assets) app.use(mount, express.static(folder, forever));
}

/** Everything but the data services: operations, authorization server, management API, portal. */
export function createApp(parts: AppParts): Express {
  const { gate, limits, log } = parts;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  operations(app, parts);
  app.use('/oidc', (request, response, next) => {
    limits
      .stranger(gate.addressOf(request))
      .then(() => parts.authorizationServer(request, response, next))
      .catch((error: unknown) => gate.refuse(request, response, error).catch(next));
  });
  app.use(
    '/api',
    awaited((request, response) => gate.admin(request, response)),
  );
  portalPages(app, parts);
  app.use(awaited((request, response) => gate.document(request, response, null)));
  app.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    log.error({ err: error }, 'a request failed outside the corridor');
    gate.refuse(request, response, error).catch(next);
  });
  return app;
}
