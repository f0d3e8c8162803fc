import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { PACKAGE_ROOT } from '../base/package-root.js';

/** One file that the portal's pages load. */
export interface PortalAssets {
  /** Its whole path, e.g. `/docs/assets/portal.css`. */
  readonly mount: string;
  /** What `express.static` is given: a single file, so that nothing beside it can be asked for. */
  readonly folder: string;
}

const OWN = join(PACKAGE_ROOT, 'gateway/portal/assets');

/** Swagger UI's start page would fetch a document from elsewhere; only these two of its files are needed. */
const SWAGGER_UI = ['swagger-ui.css', 'swagger-ui-bundle.js'].map((file) => `swagger-ui-dist/${file}`);

const FONTS = ['latin', 'vietnamese'].flatMap((subset) =>
  [400, 600, 700].map(
    (weight) => `@fontsource/be-vietnam-pro/files/be-vietnam-pro-${subset}-${weight}-normal.woff2`,
  ),
);

/** Everything that the pages load, each file by itself. */
export function portalAssets(): PortalAssets[] {
  // Packages are found wherever the package manager has put them.
  const { resolve } = createRequire(import.meta.url);
  const own = readdirSync(OWN).map((file) => join(OWN, file));
  const foreign = [...SWAGGER_UI, ...FONTS].map((file) => resolve(file));
  return [...own, ...foreign].map((file) => ({ mount: `/docs/assets/${basename(file)}`, folder: file }));
}
