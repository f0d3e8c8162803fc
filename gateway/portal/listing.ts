import { fold } from '../base/fold.js';
import type { LegalReference } from '../base/legal-reference.js';
import type { Manifest } from '../catalogue/manifest.js';
import type { PublishedService } from '../catalogue/published-service.js';
import type { AgencyRow } from '../store/agencies.js';
import type { PublicState } from './words.js';

/** What the portal asks of the catalogue. */
export interface PortalCatalogue {
  services(): Iterable<PublishedService>;
  service(name: string): PublishedService | undefined;
  agency(code: string): { readonly row: Pick<AgencyRow, 'name'> } | undefined;
  /** What a reference such as `491-qd-ubnd#d2.6` leads to. */
  legalReference(ref: string): LegalReference | undefined;
}

/** A service as the public sees it in a list. */
export interface Entry {
  readonly service: PublishedService;
  readonly state: PublicState;
  readonly agency: string;
  /** Title, description, agency and identifier, each as words that begin with a blank. */
  readonly searched: string;
}

export interface Filter {
  readonly q: string;
  readonly sharing: Manifest['sharing'] | null;
  /** Agency code. */
  readonly provider: string | null;
  /** From 1. */
  readonly page: number;
}

export interface ListedPage {
  readonly entries: readonly Entry[];
  /** Entries that match, on all pages. */
  readonly total: number;
  readonly page: number;
  readonly pages: number;
}

const PAGE_SIZE = 50;
const MAX_QUERY = 200;
/** The order of Vietnamese dictionaries: a ă â b … d đ e ê; digits by their value. */
const vietnamese = new Intl.Collator('vi', { numeric: true });

function inOrder(a: Entry, b: Entry): number {
  return (
    vietnamese.compare(a.agency, b.agency) ||
    vietnamese.compare(a.service.manifest.provider, b.service.manifest.provider) ||
    vietnamese.compare(a.service.manifest.title, b.service.manifest.title) ||
    vietnamese.compare(a.service.id, b.service.id)
  );
}

/** The filter that a query asks for; anything unknown in it asks for nothing. */
export function filterOf(query: Readonly<Record<string, string | undefined>>): Filter {
  const { q, sharing, provider, page } = query;
  return {
    q: (q ?? '').trim().slice(0, MAX_QUERY),
    sharing: sharing === 'default' || sharing === 'special' ? sharing : null,
    provider: provider === undefined || provider === '' ? null : provider,
    page: page !== undefined && /^[1-9][0-9]{0,5}$/.test(page) ? Number(page) : 1,
  };
}

/** Words between single blanks; what is neither letter nor digit only separates. */
function plain(text: string): string {
  return fold(text)
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

function isAllowed({ service }: Entry, filter: Filter): boolean {
  const { sharing, provider } = service.manifest;
  return (
    (filter.sharing === null || filter.sharing === sharing) &&
    (filter.provider === null || filter.provider === provider)
  );
}

/**
 * What was typed, from the beginning of a word on; where nobody has all of it together, its words wherever they stand.
 * Vietnamese writes its syllables apart: looking for words alone, `ho so` would find everything that is `cho` a `so`.
 */
function search(entries: readonly Entry[], q: string): readonly Entry[] {
  if (q === '') return entries;
  const words = plain(q).split(' ').filter(Boolean);
  if (words.length === 0) return [];
  const together = entries.filter(({ searched }) => searched.includes(` ${words.join(' ')}`));
  if (together.length > 0) return together;
  return entries.filter(({ searched }) => words.every((word) => searched.includes(` ${word}`)));
}

/**
 * The public list of services. It is sorted when something in the catalogue changed and then kept: a thousand
 * services must not be collated again for each visitor.
 */
export class Listing {
  readonly #catalogue: PortalCatalogue;
  #made: readonly (readonly [PublishedService, string])[] = [];
  #entries: readonly Entry[] = [];

  constructor(catalogue: PortalCatalogue) {
    this.#catalogue = catalogue;
  }

  /** All entries: by agency, then by title. */
  entries(): readonly Entry[] {
    const now = [...this.#catalogue.services()].map(
      (service) => [service, this.#nameOf(service.manifest.provider)] as const,
    );
    if (!this.#isCurrent(now)) {
      this.#entries = now
        .map(([service]) => this.entryOf(service))
        .filter((entry) => entry !== null)
        .sort(inOrder);
      this.#made = now;
    }
    return this.#entries;
  }

  /** Null for what the public must not see. */
  entryOf(service: PublishedService): Entry | null {
    const { state, manifest, id } = service;
    if (state === 'draft') return null;
    const agency = this.#nameOf(manifest.provider);
    const texts = [manifest.title, manifest.description ?? '', agency, id];
    const searched = texts.map((text) => ` ${plain(text)}`).join('\n');
    return { service, state, agency, searched };
  }

  find(filter: Filter): ListedPage {
    const allowed = this.entries().filter((entry) => isAllowed(entry, filter));
    const found = search(allowed, filter.q);
    const pages = Math.max(1, Math.ceil(found.length / PAGE_SIZE));
    const page = Math.min(filter.page, pages);
    const entries = found.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
    return { entries, total: found.length, page, pages };
  }

  /** The agencies that provide something: code and name, by name. */
  providers(): readonly (readonly [string, string])[] {
    const names = new Map(this.entries().map(({ service, agency }) => [service.manifest.provider, agency]));
    return [...names];
  }

  #nameOf(code: string): string {
    return this.#catalogue.agency(code)?.row.name ?? code;
  }

  #isCurrent(now: readonly (readonly [PublishedService, string])[]): boolean {
    return (
      now.length === this.#made.length &&
      now.every(([service, agency], i) => service === this.#made[i]?.[0] && agency === this.#made[i]?.[1])
    );
  }
}
