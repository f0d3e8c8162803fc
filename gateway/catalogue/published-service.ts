import type { Connector, OperationFacts } from '../../connectors/connector.js';
import type { RouteFacts } from '../base/exchange.js';
import type { PublishedRow, ServiceState } from '../store/services.js';
import { type Contract, compileContract, type Operation } from './contract.js';
import type { Manifest } from './manifest.js';
import { SecrecyMarks } from './secrecy-marks.js';
import { SubjectPointers } from './subject-pointers.js';

export type OpenConnector = (
  id: string,
  manifest: Manifest,
  facts: readonly OperationFacts[],
) => Promise<Connector>;

/**
 * One revision of a service as callers meet it. Its contract is compiled and its source opened at the first
 * call, so that a node with thousands of services starts at once.
 */
export class PublishedService {
  readonly id: string;
  readonly row: Omit<PublishedRow, 'document' | 'manifest'>;
  readonly manifest: Manifest;
  /** Null where messages declare no degree of secrecy. */
  readonly marks: SecrecyMarks | null;
  /** Null where messages name nobody. */
  readonly subjects: SubjectPointers | null;
  readonly document: string;
  readonly #open: OpenConnector;
  #contract: Contract | null = null;
  #connector: Connector | Promise<Connector> | null = null;
  readonly #routes = new Map<Operation | null, RouteFacts>();
  #calls = 0;
  #replaced = false;

  constructor(row: PublishedRow, open: OpenConnector) {
    const { document, manifest, ...facts } = row;
    this.id = row.id;
    this.row = facts;
    this.manifest = JSON.parse(manifest) as Manifest;
    const { secrecyMarks, subjects } = this.manifest;
    this.marks = secrecyMarks === undefined ? null : new SecrecyMarks(secrecyMarks);
    this.subjects = subjects === undefined ? null : new SubjectPointers(subjects);
    this.document = document;
    this.#open = open;
  }

  get state(): ServiceState {
    return this.row.state;
  }

  get contract(): Contract {
    this.#contract ??= compileContract(this.document, this.manifest);
    return this.#contract;
  }

  /** What a record says of a call of this operation, or of a call that found none. Made once for each. */
  route(operation: Operation | null): RouteFacts {
    const known = this.#routes.get(operation);
    if (known !== undefined) return known;
    const { provider, slug, major, sharing } = this.row;
    const made = {
      provider,
      service: slug,
      version: `v${major}`,
      operation: operation?.id ?? null,
      sharing,
      template: operation?.template ?? null,
    };
    this.#routes.set(operation, made);
    return made;
  }

  /** The source, opened at the first call; whoever asks must say `done` once, when its call has ended. */
  connector(): Connector | Promise<Connector> {
    this.#calls += 1;
    this.#connector ??= this.#opened();
    return this.#connector;
  }

  done(): void {
    this.#calls -= 1;
    if (this.#replaced && this.#calls === 0) void this.#close();
  }

  /** A newer revision took over: calls under way end on this one, then its source is closed. */
  async replaced(): Promise<void> {
    this.#replaced = true;
    if (this.#calls === 0) await this.#close();
  }

  async #opened(): Promise<Connector> {
    try {
      const connector = await this.#open(this.id, this.manifest, this.#facts());
      if (this.#connector !== null) this.#connector = connector;
      return connector;
    } catch (error) {
      this.#connector = null;
      throw error;
    }
  }

  #facts(): OperationFacts[] {
    return [...this.contract.operations.values()].map((operation) => operation.facts);
  }

  async #close(): Promise<void> {
    const connector = this.#connector;
    this.#connector = null;
    if (connector instanceof Promise)
      await connector.then(
        (open) => open.close(),
        () => undefined,
      );
    else await connector?.close();
  }
}
