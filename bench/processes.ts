import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

export interface Started {
  readonly port: number;
  readonly child: ChildProcess;
  readonly said: Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

/** Starts one of the peers as a process of its own and waits until it says its port. */
export async function start(
  script: string,
  args: readonly string[],
  execArgv: readonly string[] = ['--import', 'tsx'],
): Promise<Started> {
  const child = fork(join(import.meta.dirname, script), [...args], {
    execArgv: [...execArgv],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const said = await new Promise<Record<string, unknown>>((resolve, reject) => {
    child.once('message', (message) => resolve(message as Record<string, unknown>));
    child.once('exit', (code) =>
      reject(new Error(`${script} ended with ${code ?? 'a signal'} before it was ready`)),
    );
  });
  return {
    port: Number(said['port']),
    child,
    said,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.disconnect();
        setTimeout(() => child.kill('SIGKILL'), 10_000).unref();
      }),
  };
}
