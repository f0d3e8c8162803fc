import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { sourceLoader } from '../../../gateway/base/source-loader.js';

const START_MS = 20_000;
const STOP_MS = 5000;

/** The department systems, by file name. */
export const DEPARTMENT_SYSTEMS = ['mot-cua', 'doanh-nghiep', 'thu-nghiem'] as const;
export type DepartmentSystemName = (typeof DEPARTMENT_SYSTEMS)[number];

export interface DepartmentOptions {
  /** What each system demands in `X-Api-Key`. */
  readonly apiKeys: Readonly<Record<DepartmentSystemName, string>>;
  /** Ports to listen on; 0 or absent takes any free one. */
  readonly ports?: Readonly<Partial<Record<DepartmentSystemName, number>>>;
}

export interface DepartmentSystems {
  /** Where each one listens, on 127.0.0.1. */
  readonly ports: Readonly<Record<DepartmentSystemName, number>>;
  /** Ends them all and waits until they have gone. */
  stop(): Promise<void>;
}

/** A source file runs under tsx, a compiled one as it is. */
function launch(name: DepartmentSystemName, { apiKeys, ports }: DepartmentOptions): ChildProcess {
  const extension = extname(import.meta.filename);
  return fork(join(import.meta.dirname, `${name}${extension}`), [], {
    execArgv: extension === '.ts' ? ['--import', sourceLoader('tsx')] : ['--enable-source-maps'],
    // Nothing else of the gateway's environment is a department's business.
    env: {
      PATH: process.env['PATH'],
      SOURCE_API_KEY: apiKeys[name],
      SOURCE_PORT: String(ports?.[name] ?? 0),
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

/** @throws Error when the child ends or says nothing in time */
async function portOf(name: string, child: ChildProcess): Promise<number> {
  const quiet = new AbortController();
  const signal = AbortSignal.any([quiet.signal, AbortSignal.timeout(START_MS)]);
  try {
    const first = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(() => null),
    ]);
    const port = (first?.[0] as { port?: unknown } | undefined)?.port;
    if (typeof port !== 'number') throw new Error(`the department system ${name} did not start`);
    return port;
  } finally {
    quiet.abort();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await gone;
  clearTimeout(late);
}

/** Starts the department systems as processes of their own, each on its own port, and waits until all are ready. */
export async function startDepartmentSystems(options: DepartmentOptions): Promise<DepartmentSystems> {
  const children = DEPARTMENT_SYSTEMS.map((name) => ({ name, child: launch(name, options) }));
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(({ child }) => end(child)));
  };
  const started = await Promise.allSettled(
    children.map(async ({ name, child }) => [name, await portOf(name, child)] as const),
  );
  const failed = started.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw new Error('a department system did not start', { cause: failed.reason });
  }
  const ports = started.filter((result) => result.status === 'fulfilled').map((result) => result.value);
  return { ports: Object.fromEntries(ports) as Record<DepartmentSystemName, number>, stop };
}
