import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Exchange } from '../base/exchange.js';
import { outcomeOf } from '../pipeline/call-record.js';

/** A number that is read when it is asked for. */
export interface GaugeReader {
  readonly help: string;
  read(): number;
}

/** What is counted for the operators; names of callers never become labels. */
export class Metrics {
  readonly registry = new Registry();
  readonly #series = new Map<string, unknown>();
  readonly #calls: Counter<'plane' | 'outcome' | 'code'>;
  readonly #services: Counter<'service' | 'outcome'>;
  readonly #duration: Histogram<'plane'>;
  readonly #source: Histogram<'service'>;

  constructor(gauges: Readonly<Record<string, GaugeReader>>) {
    const registers = [this.registry];
    const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
    collectDefaultMetrics({ register: this.registry });
    this.#calls = new Counter({
      name: 'lgsp_calls_total',
      help: 'Calls by plane, outcome and refusal code',
      labelNames: ['plane', 'outcome', 'code'],
      registers,
    });
    this.#services = new Counter({
      name: 'lgsp_service_calls_total',
      help: 'Data calls by service and outcome',
      labelNames: ['service', 'outcome'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'lgsp_call_duration_seconds',
      help: 'Time from request to release',
      labelNames: ['plane'],
      buckets,
      registers,
    });
    this.#source = new Histogram({
      name: 'lgsp_source_duration_seconds',
      help: 'Time the source took',
      labelNames: ['service'],
      buckets,
      registers,
    });
    for (const [name, gauge] of Object.entries(gauges)) {
      new Gauge({
        name,
        help: gauge.help,
        registers,
        collect() {
          this.set(gauge.read());
        },
      });
    }
  }

  observe(exchange: Exchange, now: number): void {
    const { plane, problem, route, sourceMs } = exchange;
    const outcome = outcomeOf(exchange);
    const code = problem?.code ?? '';
    const seconds = (now - exchange.receivedAt) / 1000;
    this.#once(`c ${plane} ${outcome} ${code}`, () => this.#calls.labels({ plane, outcome, code })).inc();
    this.#once(`d ${plane}`, () => this.#duration.labels({ plane })).observe(seconds);
    if (plane !== 'data' || route === null) return;
    const service = `${route.provider ?? ''}/${route.service ?? ''}/${route.version ?? ''}`;
    this.#once(`s ${service} ${outcome}`, () => this.#services.labels({ service, outcome })).inc();
    if (sourceMs === null) return;
    this.#once(`t ${service}`, () => this.#source.labels({ service })).observe(sourceMs / 1000);
  }

  /** prom-client hashes the labels at every use; one series is looked up once. */
  #once<S>(key: string, make: () => S): S {
    const known = this.#series.get(key) as S | undefined;
    if (known !== undefined) return known;
    const made = make();
    this.#series.set(key, made);
    return made;
  }
}
