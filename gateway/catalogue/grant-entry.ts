import type { GrantRow, GrantSide } from '../store/grants.js';
import { GRANT_SIDES } from '../store/grants.js';
import { Disclosure } from './disclosure.js';

const FLAGS = {
  consumer: 'suspended_consumer',
  provider: 'suspended_provider',
  platform: 'suspended_platform',
} as const satisfies Record<GrantSide, keyof GrantRow>;

/** A grant as calls ask it. */
export class GrantEntry {
  readonly row: GrantRow;
  readonly #operations: ReadonlySet<string> | null;
  readonly #disclosures: ReadonlyMap<string, Disclosure> | null;

  constructor(row: GrantRow) {
    this.row = row;
    this.#operations =
      row.operations === null ? null : new Set(JSON.parse(row.operations) as readonly string[]);
    this.#disclosures = row.fields === null ? null : disclosures(row.fields);
  }

  get operations(): readonly string[] {
    return this.#operations === null ? [] : [...this.#operations];
  }

  allows(operation: string): boolean {
    return this.#operations === null || this.#operations.has(operation);
  }

  /** The fields that may leave; null where all may. An operation that was forgotten discloses nothing. */
  disclosure(operation: string): Disclosure | null {
    if (this.#disclosures === null) return null;
    return this.#disclosures.get(operation) ?? NOTHING;
  }

  /** Who holds it up, and since when; null when nobody does. */
  get suspension(): { readonly by: readonly GrantSide[]; readonly since: number } | null {
    const by = GRANT_SIDES.filter((side) => this.row[FLAGS[side]] !== null);
    if (by.length === 0) return null;
    return { by, since: Math.max(...by.map((side) => this.row[FLAGS[side]] ?? 0)) };
  }
}

const NOTHING = new Disclosure([]);

function disclosures(fields: string): Map<string, Disclosure> {
  const byOperation = JSON.parse(fields) as Record<string, readonly string[]>;
  return new Map(Object.entries(byOperation).map(([id, pointers]) => [id, new Disclosure(pointers)]));
}
