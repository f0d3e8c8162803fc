import { dayBegins, dayEnds, vietnamDay } from '../base/calendar.js';
import type { Clock } from '../base/clock.js';
import type { LegalReference } from '../base/legal-reference.js';
import { AddressSet } from '../base/address-set.js';
import type { Logger } from '../base/log.js';
import { findPerson, listPeople, type PersonRow } from '../store/people.js';
import { endedSessions, ENDS_KEPT_MS } from '../store/sign-ins.js';
import { type AgencyRow, findAgency, listAgencies } from '../store/agencies.js';
import { type Change, changesSince, lastChange } from '../store/changes.js';
import type { Database } from '../store/database.js';
import { findLegalBasis, listLegalBases, listLegalClauses } from '../store/legal-bases.js';
import { findGrant, type GrantRow, grantsOfPair, listGrants } from '../store/grants.js';
import { type PublishedRow, publishedServices } from '../store/services.js';
import {
  type CredentialRow,
  findSystem,
  listCredentials,
  listSystems,
  type Role,
  type SystemRow,
} from '../store/systems.js';
import { LegalDirectory } from './legal-directory.js';
import { GrantEntry } from './grant-entry.js';
import { type OpenConnector, PublishedService } from './published-service.js';

export interface AgencyEntry {
  readonly row: AgencyRow;
  /** Milliseconds since the epoch; the agency is in force from … until before … */
  readonly from: number;
  readonly until: number;
}

export interface SystemEntry {
  readonly row: SystemRow;
  readonly roles: readonly Role[];
  readonly credentials: readonly CredentialRow[];
  /** From where it may call; null from anywhere. */
  readonly addresses: AddressSet | null;
  /** Milliseconds since the epoch; the account works until before. */
  readonly until: number;
}

export interface PersonEntry {
  readonly row: PersonRow;
  readonly roles: readonly Role[];
  /** Milliseconds since the epoch; the account works from … until before … */
  readonly from: number;
  readonly until: number;
  /** Sessions that were ended not long ago: their tokens may still be about. */
  readonly ended: ReadonlySet<string>;
}

export interface CatalogueOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds between two looks at what other nodes changed. */
  readonly refreshMs: number;
  readonly openConnector: OpenConnector;
  /** Read again at every look, beside the catalogue: the signing keys. */
  readonly alongside?: () => Promise<void>;
}

/** The moment after a last day, or never: validity dates are both inclusive. */
const endAfter = (day: string | null | undefined): number =>
  day === null || day === undefined ? Number.POSITIVE_INFINITY : dayEnds(day);

function agencyEntry(row: AgencyRow): AgencyEntry {
  return { row, from: dayBegins(row.valid_from), until: endAfter(row.valid_to) };
}

/**
 * What is in force now, in memory: a call asks here and never waits for the database. Every change is noted in
 * one table, which each node reads a few times a second, so a lock is felt everywhere within a second.
 */
export class Catalogue {
  readonly #options: CatalogueOptions;
  readonly #agencies = new Map<string, AgencyEntry>();
  readonly #aliases = new Map<string, string>();
  readonly #systems = new Map<string, SystemEntry>();
  readonly #people = new Map<string, PersonEntry>();
  readonly #services = new Map<string, PublishedService>();
  /** By system and service; the grant that counts now, or the last one that did. */
  readonly #grants = new Map<string, GrantEntry>();
  readonly #legal = new LegalDirectory();
  #seen = 0;
  #reading: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #freshAt = 0;

  private constructor(options: CatalogueOptions) {
    this.#options = options;
  }

  /** Reads everything once, then keeps looking for changes until `close`. */
  static async open(options: CatalogueOptions): Promise<Catalogue> {
    const catalogue = new Catalogue(options);
    await catalogue.#readAll();
    catalogue.#schedule();
    return catalogue;
  }

  /** By code, or by the older alias. */
  agency(code: string): AgencyEntry | undefined {
    return this.#agencies.get(code) ?? this.#agencies.get(this.#aliases.get(code) ?? '');
  }

  system(id: string): SystemEntry | undefined {
    return this.#systems.get(id);
  }

  person(id: string): PersonEntry | undefined {
    return this.#people.get(id);
  }

  /** By `{provider}/{slug}/v{major}`; a provider's alias is as good as its code. */
  service(name: string): PublishedService | undefined {
    const found = this.#services.get(name);
    if (found !== undefined) return found;
    const slash = name.indexOf('/');
    const code = this.#aliases.get(name.slice(0, slash));
    return code === undefined ? undefined : this.#services.get(code + name.slice(slash));
  }

  /** The grant of a system for a service: the one in force, or the last there was. */
  grant(system: string, service: string): GrantEntry | undefined {
    return this.#grants.get(pairOf(system, service));
  }

  services(): IterableIterator<PublishedService> {
    return this.#services.values();
  }

  /** What a reference such as `491-qd-ubnd#d2.6` leads to, with whether it is in force today. */
  legalReference(ref: string): LegalReference | undefined {
    return this.#legal.find(ref, vietnamDay(this.#options.clock.now()));
  }

  /** When this node last knew everything, milliseconds since the epoch. */
  get freshAt(): number {
    return this.#freshAt;
  }

  /** Reads what changed since the last look. Calls that overlap share one read, and each sees its own change. */
  async refresh(): Promise<void> {
    while (this.#reading !== null) await this.#reading;
    this.#reading = this.#readChanges().finally(() => {
      this.#reading = null;
    });
    await this.#reading;
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#reading?.catch(() => undefined);
    await Promise.all([...this.#services.values()].map((service) => service.replaced()));
    this.#services.clear();
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.refresh()
        .catch((error: unknown) =>
          this.#options.log.error({ err: error }, 'the catalogue could not be refreshed'),
        )
        .finally(() => {
          if (this.#timer !== null) this.#schedule();
        });
    }, this.#options.refreshMs);
    this.#timer.unref();
  }

  async #readAll(): Promise<void> {
    const { knex } = this.#options.database;
    this.#seen = await lastChange(knex);
    for (const row of await listAgencies(knex)) this.#putAgency(row);
    const credentials = bySystem(await allCredentials(this.#options.database));
    for (const row of await listSystems(knex)) this.#putSystem(row, credentials.get(row.id) ?? []);
    await this.#readPeople();
    for (const row of await publishedServices(knex)) this.#putService(row);
    for (const row of await listGrants(knex)) this.#putGrant(row);
    const clauses = await listLegalClauses(knex);
    for (const row of await listLegalBases(knex))
      this.#legal.put(
        row,
        clauses.filter((clause) => clause.basis_id === row.id),
      );
    this.#freshAt = this.#options.clock.now();
  }

  async #readChanges(): Promise<void> {
    const changes = await changesSince(this.#options.database.knex, this.#seen);
    const latest = new Map<string, Change>(changes.map((change) => [`${change.noun} ${change.key}`, change]));
    for (const change of latest.values()) await this.#read(change);
    this.#seen = changes.at(-1)?.id ?? this.#seen;
    await this.#options.alongside?.();
    this.#freshAt = this.#options.clock.now();
  }

  async #read({ noun, key }: Change): Promise<void> {
    const { knex } = this.#options.database;
    if (noun === 'agency') {
      const row = await findAgency(knex, key);
      if (row !== undefined) this.#putAgency(row);
    } else if (noun === 'system') {
      const row = await findSystem(knex, key);
      if (row !== undefined) this.#putSystem(row, await listCredentials(knex, key));
    } else if (noun === 'person') {
      await this.#readPerson(key);
    } else if (noun === 'service') {
      const [row] = await publishedServices(knex, key);
      if (row !== undefined) this.#putService(row);
    } else if (noun === 'grant') {
      await this.#readGrant(key);
    } else if (noun === 'legal_basis') {
      const found = await findLegalBasis(knex, key);
      if (found === undefined) this.#legal.delete(key);
      else this.#legal.put(found.basis, await listLegalClauses(knex, key));
    }
  }

  async #readPeople(): Promise<void> {
    const { knex } = this.#options.database;
    const ended = new Map<string, Set<string>>();
    for (const { person_id: id, session_id: session } of await endedSessions(knex, this.#endsSince()))
      ended.set(id, (ended.get(id) ?? new Set()).add(session));
    for (const row of await listPeople(knex)) this.#putPerson(row, ended.get(row.id) ?? new Set());
  }

  async #readPerson(id: string): Promise<void> {
    const { knex } = this.#options.database;
    const row = await findPerson(knex, id);
    if (row === undefined) return;
    const ended = await endedSessions(knex, this.#endsSince(), id);
    this.#putPerson(row, new Set(ended.map(({ session_id }) => session_id)));
  }

  #endsSince(): number {
    return this.#options.clock.now() - ENDS_KEPT_MS;
  }

  #putPerson(row: PersonRow, ended: ReadonlySet<string>): void {
    const roles = JSON.parse(row.roles) as Role[];
    const [from, until] = [dayBegins(row.valid_from), endAfter(row.valid_to)];
    this.#people.set(row.id, { row, roles, from, until, ended });
  }

  /** All grants of the pair are read again: an older one may count once a newer one does not. */
  async #readGrant(id: string): Promise<void> {
    const { knex } = this.#options.database;
    const changed = await findGrant(knex, id);
    if (changed === undefined) return;
    const rows = await grantsOfPair(knex, changed.system_id, changed.service_id);
    this.#grants.delete(pairOf(changed.system_id, changed.service_id));
    for (const row of rows) this.#putGrant(row);
  }

  /** Given oldest first: a later one counts, unless an earlier one is alive and it is not. */
  #putGrant(row: GrantRow): void {
    if (row.state === 'refused') return;
    const pair = pairOf(row.system_id, row.service_id);
    const known = this.#grants.get(pair);
    if (known?.row.state === 'active' && row.state !== 'active') return;
    this.#grants.set(pair, new GrantEntry(row));
  }

  #putAgency(row: AgencyRow): void {
    const before = this.#agencies.get(row.code)?.row.alias;
    if (before !== undefined && before !== null) this.#aliases.delete(before);
    this.#agencies.set(row.code, agencyEntry(row));
    if (row.alias !== null) this.#aliases.set(row.alias, row.code);
  }

  #putSystem(row: SystemRow, credentials: readonly CredentialRow[]): void {
    const roles = JSON.parse(row.roles) as Role[];
    const addresses = row.addresses ?? null;
    this.#systems.set(row.id, {
      ...{ row, roles, credentials, until: endAfter(row.valid_to) },
      addresses: addresses === null ? null : new AddressSet(JSON.parse(addresses) as string[]),
    });
  }

  #putService(row: PublishedRow): void {
    const before = this.#services.get(row.id);
    try {
      this.#services.set(row.id, new PublishedService(row, this.#options.openConnector));
    } catch (error) {
      // One unreadable row must neither stay in force in its old form nor keep later changes from being seen.
      this.#services.delete(row.id);
      this.#options.log.error({ err: error, service: row.id }, 'a service cannot be read from the store');
    }
    before
      ?.replaced()
      .catch((error: unknown) => this.#options.log.warn({ err: error }, 'a replaced source did not close'));
  }
}

const pairOf = (system: string, service: string): string => `${system} ${service}`;

async function allCredentials(database: Database): Promise<CredentialRow[]> {
  return await database.knex<CredentialRow>('system_credentials').orderBy('created_at');
}

function bySystem(rows: readonly CredentialRow[]): Map<string, CredentialRow[]> {
  const groups = new Map<string, CredentialRow[]>();
  for (const row of rows) {
    const group = groups.get(row.system_id);
    if (group === undefined) groups.set(row.system_id, [row]);
    else group.push(row);
  }
  return groups;
}
