import { fileURLToPath } from 'node:url';
import { sourceLoader } from '../../gateway/base/source-loader.js';

export interface OwnModule {
  readonly path: string;
  /** What `node` needs to be told before the path. */
  readonly execArgv: readonly string[];
}

/**
 * A module of ours that a process of its own is to run: built, when the tests are (`npm test`), or as a source.
 *
 * @param from `import.meta.url` of the caller
 * @param module its path from there, without an ending
 */
export function ownModule(from: string, module: string): OwnModule {
  const source = from.endsWith('.ts');
  return {
    path: fileURLToPath(new URL(`${module}.${source ? 'ts' : 'js'}`, from)),
    execArgv: source ? ['--import', sourceLoader('tsx')] : ['--enable-source-maps'],
  };
}
