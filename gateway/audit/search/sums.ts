import { startOf, type Unit } from './calendar.js';
import { COUNT_LIMIT } from './direct-count.js';
import type { Facts } from './series.js';

export interface FacetValue {
  readonly value: string;
  readonly count: number;
}

const FACETS = ['outcome', 'code', 'provider', 'service', 'agency', 'system', 'operation'] as const;
export type Facet = (typeof FACETS)[number];

/** How many records meet the filters, and how they are spread. */
export interface RecordSummary {
  readonly total: number;
  /** False: there are at least so many; the facets and the histogram are of those that were counted. */
  readonly exact: boolean;
  /** The most frequent values first, `FACET_LIMIT` at most; a service as `{provider}/{service}/{version}`. */
  readonly facets: Readonly<Record<Facet, readonly FacetValue[]>>;
  readonly histogram: {
    readonly interval: Unit;
    /** Steps that hold records, oldest first; their beginning in RFC 3339, days and months those of Asia/Ho_Chi_Minh. */
    readonly steps: readonly { readonly from: string; readonly count: number }[];
  };
}

export const FACET_LIMIT = 50;

/** Adds up what was found, whichever way it was counted. */
export class Sums {
  readonly #interval: Unit;
  readonly #facets = new Map<Facet, Map<string, number>>(FACETS.map((name) => [name, new Map()]));
  readonly #steps = new Map<number, number>();
  #total = 0;
  #exact = true;

  constructor(interval: Unit) {
    this.#interval = interval;
  }

  /**
   * The same records by what they are about and by time.
   *
   * @param looked how many were gone through for it, up to one more than the limit; 0 where counts are kept
   */
  add(
    series: readonly (Facts & { readonly n: number })[],
    steps: readonly { readonly start: number; readonly n: number }[],
    looked: number,
  ): void {
    if (looked > COUNT_LIMIT) this.#exact = false;
    for (const row of series) this.#addSeries(row, row.n);
    for (const row of steps) this.#addStep(row.start, row.n);
  }

  #addSeries(facts: Facts, n: number): void {
    this.#total += n;
    for (const [name, values] of this.#facets) {
      const value =
        name === 'service' && facts.service !== ''
          ? `${facts.provider}/${facts.service}/${facts.version}`
          : facts[name];
      if (value !== '') values.set(value, (values.get(value) ?? 0) + n);
    }
  }

  #addStep(time: number, n: number): void {
    const start = startOf(this.#interval, time);
    this.#steps.set(start, (this.#steps.get(start) ?? 0) + n);
  }

  summary(): RecordSummary {
    const sorted = (values: Map<string, number>): FacetValue[] =>
      [...values]
        .map(([value, count]) => ({ value, count }))
        .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
        .slice(0, FACET_LIMIT);
    const facets = Object.fromEntries([...this.#facets].map(([name, values]) => [name, sorted(values)]));
    const steps = [...this.#steps]
      .sort(([a], [b]) => a - b)
      .map(([from, count]) => ({ from: new Date(from).toISOString(), count }));
    return {
      total: this.#total,
      exact: this.#exact,
      facets: facets as unknown as RecordSummary['facets'],
      histogram: { interval: this.#interval, steps },
    };
  }
}
