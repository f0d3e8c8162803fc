import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { systemClock } from '../../gateway/base/clock.js';
import { type Config, loadConfig } from '../../gateway/base/config.js';
import { createLog } from '../../gateway/base/log.js';
import { Catalogue } from '../../gateway/catalogue/catalogue.js';
import { createPortal, portalAssets } from '../../gateway/portal/portal.js';
import type { Database } from '../../gateway/store/database.js';
import { embedded } from '../kit/databases.js';

export interface OpenPortal {
  readonly config: Config;
  readonly database: Database;
  readonly catalogue: Catalogue;
  /** What the address answers, redirects not followed. */
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** The page at the address. */
  page(path: string): Promise<string>;
  json(path: string): Promise<unknown>;
  close(): Promise<void>;
}

export const METADATA = { issuer: 'https://lgsp.example/oidc', dpop_signing_alg_values_supported: ['ES256'] };

async function listen(app: express.Express): Promise<Server> {
  return await new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server));
  });
}

/** The portal by itself, on a real catalogue: the gateway mounts the same routes and assets the same way. */
export async function openPortal(fill: (database: Database) => Promise<void>): Promise<OpenPortal> {
  const test = await embedded.create();
  await fill(test.database);
  const catalogue = await Catalogue.open({
    database: test.database,
    clock: systemClock,
    log: createLog('silent'),
    refreshMs: 1000,
    openConnector: () => Promise.reject(new Error('the portal calls no source')),
  });
  const config = loadConfig({ publicUrl: 'https://lgsp.example' });
  const app = express();
  for (const route of createPortal({ catalogue, config, metadata: () => METADATA })) {
    app.get(route.path, async (request, response) => {
      const params = request.params as Record<string, string>;
      const query = request.query as Record<string, string>;
      const found = await route.render(params, query, request.headers['accept-language']);
      if (found === null) response.sendStatus(404);
      else {
        const { status, contentType, body, headers } = found;
        response.writeHead(status, { 'content-type': contentType, ...headers }).end(body);
      }
    });
  }
  for (const { mount, folder } of portalAssets()) app.use(mount, express.static(folder, { redirect: false }));
  const server = await listen(app);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const get: OpenPortal['get'] = (path, headers = {}) => fetch(url + path, { headers, redirect: 'manual' });
  return {
    config,
    database: test.database,
    catalogue,
    get,
    page: async (path) => await (await get(path)).text(),
    json: async (path) => await (await get(path)).json(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await catalogue.close();
      await test.drop();
    },
  };
}

/** Titles of the services in a list page, in its order, unescaped as far as they are used here. */
export function titlesIn(page: string): string[] {
  return [...page.matchAll(/<h3><a href="[^"]*">([^<]*)<\/a><\/h3>/g)].map(([, title]) => title ?? '');
}
