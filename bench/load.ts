import autocannon, { type Result } from 'autocannon';

export interface Measured {
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

export interface Load {
  readonly url: string;
  readonly paths: readonly string[];
  readonly headers?: Record<string, string>;
  readonly connections: number;
  readonly seconds: number;
}

/** Loads one peer and insists that every answer was a 200: a fast refusal is no throughput. */
export async function load({ url, paths, headers, connections, seconds }: Load): Promise<Measured> {
  const times: number[] = [];
  const requests = paths.map((path) => ({ method: 'GET' as const, path, headers: headers ?? {} }));
  const result = await new Promise<Result>((resolve, reject) => {
    const run = autocannon({ url, connections, duration: seconds, requests }, (error: unknown, done) => {
      if (error === null || error === undefined) resolve(done);
      else reject(error instanceof Error ? error : new Error('the load generator failed'));
    });
    // Its own histogram counts whole milliseconds, too coarse to compare with.
    run.on('response', (_client, _status, _bytes, ms) => times.push(ms));
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${url}: ${result.non2xx} answers were not 2xx, ${result.errors} connections failed`);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { requestsPerSecond: result.requests.average, p50: at(0.5), p99: at(0.99) };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
