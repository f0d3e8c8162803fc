import { load, type Measured, median } from './load.js';
import { start, type Started } from './processes.js';
import { CLIENT, servicePath } from './province.js';

const seconds = Number(process.env['BENCH_SECONDS'] ?? 5);
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
const SPREAD = 10;

const paths = Array.from({ length: SPREAD }, (_, i) => servicePath(i));
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const fixed = (value: number, digits = 2): number => Number(value.toFixed(digits));

async function tokenOf(gateway: Started): Promise<Record<string, string>> {
  const response = await fetch(`http://127.0.0.1:${gateway.port}/oidc/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: token } = (await response.json()) as { access_token: string };
  return { authorization: `Bearer ${token}` };
}

/** With the options of `npm start`. */
const startGateway = (upstream: Started, services: number, more: readonly string[] = []): Promise<Started> =>
  start(
    'gateway.ts',
    [`http://127.0.0.1:${upstream.port}`, String(services)],
    ['--import', 'tsx', ...more, '--max-semi-space-size=64'],
  );

interface Peer {
  readonly name: string;
  measure(connections: number, time: number): Promise<Measured>;
}

const peer = (name: string, port: number, headers: Record<string, string> = {}): Peer => ({
  name,
  measure: (connections, time) =>
    load({ url: `http://127.0.0.1:${port}`, paths, headers, connections, seconds: time }),
});

/** The peers take turns, so that whatever else the machine does falls on all of them alike. */
async function compare(peers: readonly Peer[], connections: number): Promise<Map<string, Measured[]>> {
  const results = new Map<string, Measured[]>(peers.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, measure } of round % 2 === 0 ? peers : [...peers].reverse()) {
      results.get(name)?.push(await measure(connections, seconds));
    }
  }
  return results;
}

const of = (results: Map<string, Measured[]>, name: string, key: keyof Measured): number =>
  median((results.get(name) ?? []).map((one) => one[key]));

function table(connections: number, results: Map<string, Measured[]>): void {
  for (const name of results.keys()) {
    const line = [
      String(connections).padStart(4),
      name.padEnd(22),
      fixed(of(results, name, 'requestsPerSecond'), 0)
        .toString()
        .padStart(9),
      fixed(of(results, name, 'p50'))
        .toString()
        .padStart(9),
      fixed(of(results, name, 'p99'))
        .toString()
        .padStart(9),
    ];
    say(line.join('  '));
  }
}

async function governedToBare(upstream: Started): Promise<Record<string, number>> {
  const bare = await start('bare-proxy.ts', [`http://127.0.0.1:${upstream.port}`]);
  const gateway = await startGateway(upstream, SPREAD);
  try {
    const peers = [peer('bare proxy', bare.port), peer('gateway', gateway.port, await tokenOf(gateway))];
    for (const one of peers) await one.measure(32, 3);
    say('conn  peer                     req/s    p50 ms    p99 ms');
    const ratios: Record<string, number> = {};
    for (const connections of [1, 32, 64]) {
      const results = await compare(peers, connections);
      table(connections, results);
      const ratio =
        of(results, 'gateway', 'requestsPerSecond') / of(results, 'bare proxy', 'requestsPerSecond');
      ratios[`c${connections}`] = fixed(ratio);
      say(`      ratio to the bare proxy  ${fixed(ratio)}`);
    }
    return ratios;
  } finally {
    await gateway.stop();
    await bare.stop();
  }
}

/** What durable records cost: the same gateway, with its recorder and with one that keeps nothing. */
async function recording(upstream: Started): Promise<Record<string, number>> {
  const on = await startGateway(upstream, SPREAD);
  const off = await startGateway(upstream, SPREAD, [
    '--import',
    new URL('./recording-off.mjs', import.meta.url).href,
  ]);
  try {
    const peers = [
      peer('recording', on.port, await tokenOf(on)),
      peer('recording nothing', off.port, await tokenOf(off)),
    ];
    for (const one of peers) await one.measure(64, 3);
    const results = await compare(peers, 64);
    table(64, results);
    const rate = (name: string): number => of(results, name, 'requestsPerSecond');
    return { costOfRecording: fixed(1 - rate('recording') / rate('recording nothing')) };
  } finally {
    await on.stop();
    await off.stop();
  }
}

async function manyServices(upstream: Started): Promise<Record<string, number>> {
  const counts = [10, 1000, 5000];
  const gateways = await Promise.all(counts.map((count) => startGateway(upstream, count)));
  try {
    const peers: Peer[] = [];
    for (const [i, gateway] of gateways.entries()) {
      peers.push(peer(`${counts[i] ?? 0} services`, gateway.port, await tokenOf(gateway)));
      say(`      ${counts[i] ?? 0} services: up in ${String(gateway.said['bootMs'])} ms`);
    }
    for (const one of peers) await one.measure(8, 3);
    const results = await compare(peers, 8);
    table(8, results);
    const p50 = (count: number): number => of(results, `${count} services`, 'p50');
    return { p50_1000_over_10: fixed(p50(1000) / p50(10)), p50_5000_over_10: fixed(p50(5000) / p50(10)) };
  } finally {
    for (const gateway of gateways) await gateway.stop();
  }
}

const upstream = await start('upstream.ts', ['0']);
say(
  `upstream answers ${String(upstream.said['bytes'])} bytes of JSON; ${rounds} rounds of ${seconds} s each, medians`,
);
try {
  const ratios = await governedToBare(upstream);
  const cost = await recording(upstream);
  const services = await manyServices(upstream);
  say(JSON.stringify({ governedToBare: ratios, recording: cost, manyServices: services }));
} finally {
  await upstream.stop();
}
