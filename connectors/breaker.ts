import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import { SourceError } from './connector.js';

export interface BreakerOptions {
  readonly name: string;
  /** Calls in the window of 10 s before the share of errors counts. */
  readonly calls: number;
  /** Share of errors, in per cent, that opens it. */
  readonly percent: number;
  /** Rest before one trial call, milliseconds. */
  readonly resetMs: number;
  /** Calls in progress at once. */
  readonly capacity: number;
}

const WINDOW_MS = 10_000;
const BUCKETS = 10;

/**
 * One timer turns the statistics of all breakers over. With opossum's default each of them would have two of its
 * own, and a gateway with thousands of services would do little else.
 */
const rotation = new EventEmitter().setMaxListeners(0);
let breakers = 0;
let timer: NodeJS.Timeout | null = null;

function join(): void {
  breakers += 1;
  timer ??= setInterval(() => rotation.emit('rotate'), WINDOW_MS / BUCKETS).unref();
}

function leave(): void {
  breakers -= 1;
  if (breakers > 0 || timer === null) return;
  clearInterval(timer);
  timer = null;
}

/** An answer that is passed on, but tells that the source is unwell: it counts, and nothing more. */
class Unwell<T> extends Error {
  readonly answer: T;

  constructor(answer: T) {
    super('the source answered that it is unwell');
    this.answer = answer;
  }
}

const FAULTS_THAT_COUNT: ReadonlySet<string> = new Set(['unreachable', 'timeout']);

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;

/** Keeps calls away from a source that does not answer, and bounds how many are in progress. */
export class Breaker<A extends unknown[], T> {
  readonly #circuit: CircuitBreaker<A, T>;
  readonly #resetMs: number;
  #openedAt = 0;

  /** `unwell` says of an answer whether it counts as an error all the same. */
  constructor(action: (...args: A) => Promise<T>, unwell: (answer: T) => boolean, options: BreakerOptions) {
    this.#resetMs = options.resetMs;
    const judged = async (...args: A): Promise<T> => {
      const answer = await action(...args);
      if (unwell(answer)) throw new Unwell(answer);
      return answer;
    };
    join();
    this.#circuit = new CircuitBreaker<A, T>(judged, {
      name: options.name,
      timeout: false,
      volumeThreshold: options.calls,
      errorThresholdPercentage: options.percent,
      resetTimeout: options.resetMs,
      capacity: options.capacity,
      rollingCountTimeout: WINDOW_MS,
      rollingCountBuckets: BUCKETS,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: rotation,
      errorFilter: (error: unknown) => this.#passesOver(error),
    });
    this.#circuit.on('open', () => {
      this.#openedAt = Date.now();
    });
  }

  /** @throws SourceError `busy` while the breaker is open or too many calls are in progress */
  async call(...args: A): Promise<T> {
    try {
      return await this.#circuit.fire(...args);
    } catch (error) {
      if (error instanceof Unwell) return error.answer as T;
      if (codeOf(error) === 'EOPENBREAKER')
        throw new SourceError('busy', 'the source rests after repeated errors', { retryAfter: this.#rest() });
      if (codeOf(error) === 'ESEMLOCKED')
        throw new SourceError('busy', 'too many calls in progress', { retryAfter: 1 });
      if (codeOf(error) === 'ESHUTDOWN') throw new SourceError('unreachable', 'the connector is closed');
      throw error;
    }
  }

  get open(): boolean {
    return this.#circuit.opened;
  }

  close(): void {
    if (this.#circuit.isShutdown) return;
    this.#circuit.shutdown();
    leave();
  }

  #rest(): number {
    return Math.max(1, Math.ceil((this.#openedAt + this.#resetMs - Date.now()) / 1000));
  }

  /**
   * Errors that say nothing of the source's health. opossum takes them for successes, which would close a half-open
   * breaker: a trial call that its caller gave up proves nothing, so there it keeps the breaker open.
   */
  #passesOver(error: unknown): boolean {
    if (error instanceof Unwell) return false;
    if (error instanceof SourceError && FAULTS_THAT_COUNT.has(error.fault)) return false;
    return !(error instanceof SourceError && error.fault === 'aborted' && this.#circuit.halfOpen);
  }
}
