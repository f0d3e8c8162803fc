import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { ownModule } from './own-module.js';

export interface ChildSettings {
  readonly settings: Record<string, unknown>;
  /** How far the clock of the gateway is ahead. */
  readonly aheadMs: number;
}

/** A gateway in a process of its own. */
export interface ChildGateway {
  readonly url: string;
  /** The exit code or the signal that ended it; null while it runs. */
  readonly ended: () => number | string | null;
  /** Ends it as a power cut would: nothing of it runs any more. */
  kill(): Promise<void>;
}

const RUNNER = ownModule(import.meta.url, './run-gateway');

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** The address that it prints; what libraries print beside it is passed over. */
async function addressOf(child: Child): Promise<string> {
  let [said, complained] = ['', ''];
  child.stderr.on('data', (chunk: Buffer) => (complained += chunk.toString()));
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    said += chunk.toString();
    const [address] = /^http\S+(?=\n)/m.exec(said) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error(`the gateway did not start: ${complained}`);
}

/** A gateway in a process that has loaded it, or is about to, and waits to be told. */
export interface WaitingGateway extends Pick<ChildGateway, 'kill'> {
  /** Starts it and waits until it listens. */
  start(): Promise<ChildGateway>;
}

/** Loads a gateway in a child process: most of what a start costs, so that a test can have it ready beforehand. */
export function prepareChildGateway(
  settings: Record<string, unknown>,
  { aheadMs = 0 }: { aheadMs?: number } = {},
): WaitingGateway {
  const argument = JSON.stringify({ settings, aheadMs } satisfies ChildSettings);
  const child: Child = spawn(process.execPath, [...RUNNER.execArgv, RUNNER.path, argument], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exit = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exit;
  };
  return {
    kill,
    async start() {
      child.stdin.write('start\n');
      return { url: await addressOf(child), ended: () => child.signalCode ?? child.exitCode, kill };
    },
  };
}

/** Starts a gateway as a child process and waits until it listens. */
export function startChildGateway(
  settings: Record<string, unknown>,
  options: { aheadMs?: number } = {},
): Promise<ChildGateway> {
  return prepareChildGateway(settings, options).start();
}
