import { Worker, type WorkerOptions } from 'node:worker_threads';
import { sourceLoader } from './source-loader.js';

/**
 * Starts a worker thread on a module of ours, built or as a source.
 *
 * @param from `import.meta.url` of the caller
 * @param module its path from there, without an ending
 * @example startThread(import.meta.url, './log-worker', { workerData })
 */
export function startThread(from: string, module: string, options: WorkerOptions): Worker {
  if (!from.endsWith('.ts')) return new Worker(new URL(`${module}.js`, from), options);
  // Run from the sources (tests, development): a loader that this thread was started with does not reach a
  // worker's first module, so the worker calls the loader itself.
  const [loader, source] = [sourceLoader('tsx/esm/api'), new URL(`${module}.ts`, from).href];
  // Until its module listens to somebody, nothing else keeps a thread from ending that waits for the loader.
  const boot = `const loading = setInterval(() => undefined, 60_000);
    import(${JSON.stringify(loader)}).then((tsx) => tsx.tsImport(${JSON.stringify(source)}, ${JSON.stringify(source)}))
      .finally(() => clearInterval(loading))`;
  return new Worker(boot, { ...options, eval: true });
}
