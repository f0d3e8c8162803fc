import type { Place } from '../document.js';
import { isObject, member, pointerOf } from '../json-tree.js';
import type { Changes } from './findings.js';
import type { Documents } from './pair.js';
import { SchemaComparison } from './schemas.js';

/** One operation of a document, found by its method and path. */
export interface FoundOperation {
  readonly id: string;
  readonly place: Place;
  readonly pathPlace: Place;
  /** Names of the path parameters, in the order of the path. */
  readonly pathNames: readonly string[];
}

type Side = keyof Documents;

/** Compares what two operations take and give. */
export class OperationComparison {
  readonly #documents: Documents;
  readonly #changes: Changes;
  readonly #schemas: SchemaComparison;

  constructor(documents: Documents, changes: Changes) {
    this.#documents = documents;
    this.#changes = changes;
    this.#schemas = new SchemaComparison(documents, changes);
  }

  compare(before: FoundOperation, after: FoundOperation): void {
    if (before.id !== after.id)
      this.#changes.add(`${after.place.pointer}/operationId`, 'operation-renamed', true, '');
    this.#parameters(before, after);
    this.#body(before.place, after.place);
    this.#responses(before.place, after.place);
  }

  #resolve(side: Side, place: Place): Place {
    return this.#documents[side].resolve(place) ?? place;
  }

  #child(side: Side, place: Place, name: string): Place | null {
    const value = member(place.value, name);
    return value === undefined
      ? null
      : this.#resolve(side, { pointer: place.pointer + pointerOf(name), value });
  }

  /** Of the path and the operation, by place and name; the operation's own win. */
  #parametersOf(side: Side, { place, pathPlace, pathNames }: FoundOperation): Map<string, Place> {
    const found = new Map<string, Place>();
    for (const owner of [pathPlace, place]) {
      const list = member(owner.value, 'parameters');
      if (!Array.isArray(list)) continue;
      list.forEach((value: unknown, i) => {
        const one = this.#resolve(side, { pointer: `${owner.pointer}/parameters/${i}`, value });
        const where = String(member(one.value, 'in'));
        const name = String(member(one.value, 'name'));
        // A path parameter is known by where it stands: its name is nobody's but the document's.
        if (where !== 'path') found.set(`${where} ${where === 'header' ? name.toLowerCase() : name}`, one);
        else found.set(`path ${pathNames.indexOf(name)}`, one);
      });
    }
    return found;
  }

  #parameters(before: FoundOperation, after: FoundOperation): void {
    const was = this.#parametersOf('before', before);
    const is = this.#parametersOf('after', after);
    const required = (place: Place): boolean => member(place.value, 'required') === true;
    for (const [key, old] of was) {
      const now = is.get(key);
      if (now === undefined) {
        this.#changes.add(old.pointer, 'parameter-removed', true);
        continue;
      }
      if (required(now) && !required(old))
        this.#changes.add(`${now.pointer}/required`, 'parameter-required', true);
      this.#parameter(old, now);
    }
    for (const [key, now] of is)
      if (!was.has(key))
        this.#changes.add(
          now.pointer,
          required(now) ? 'parameter-required' : 'parameter-added',
          required(now),
        );
  }

  #parameter(old: Place, now: Place): void {
    for (const name of ['style', 'explode', 'allowReserved'])
      if (member(old.value, name) !== member(now.value, name))
        this.#changes.add(`${now.pointer}/${name}`, 'parameter-style', true);
    const schemaOf = (place: Place): Place => ({
      pointer: `${place.pointer}/schema`,
      value: member(place.value, 'schema') ?? true,
    });
    this.#schemas.compare(schemaOf(old), schemaOf(now), 'request');
    this.#content(old, now, 'request');
  }

  #body(before: Place, after: Place): void {
    const was = this.#child('before', before, 'requestBody');
    const is = this.#child('after', after, 'requestBody');
    const required = (place: Place | null): boolean => member(place?.value, 'required') === true;
    if (was === null && is === null) return;
    if (is === null) {
      this.#changes.add(`${before.pointer}/requestBody`, 'body-removed', true);
      return;
    }
    if (was === null) {
      this.#changes.add(is.pointer, required(is) ? 'body-required' : 'body-added', required(is));
      return;
    }
    if (required(is) && !required(was)) this.#changes.add(`${is.pointer}/required`, 'body-required', true);
    this.#content(was, is, 'request');
  }

  #content(before: Place, after: Place, direction: 'request' | 'response'): void {
    const types = (place: Place): Readonly<Record<string, unknown>> => {
      const content = member(place.value, 'content');
      return isObject(content) ? content : {};
    };
    const [was, is] = [types(before), types(after)];
    const field = direction === 'response' ? '' : null;
    const at = (place: Place, type: string): string => `${place.pointer}/content${pointerOf(type)}`;
    for (const type of Object.keys(was))
      if (Object.hasOwn(is, type))
        this.#schemas.compare(
          { pointer: `${at(before, type)}/schema`, value: member(was[type], 'schema') ?? true },
          { pointer: `${at(after, type)}/schema`, value: member(is[type], 'schema') ?? true },
          direction,
        );
      else this.#changes.add(at(before, type), 'media-type-removed', true, field);
    for (const type of Object.keys(is))
      if (!Object.hasOwn(was, type)) this.#changes.add(at(after, type), 'media-type-added', false, field);
  }

  #responses(before: Place, after: Place): void {
    const was = member(before.value, 'responses');
    const is = member(after.value, 'responses');
    const statuses = isObject(was) ? Object.keys(was) : [];
    const none: Place = { pointer: `${after.pointer}/responses`, value: {} };
    const [olds, news] = [
      this.#child('before', before, 'responses') ?? none,
      this.#child('after', after, 'responses') ?? none,
    ];
    for (const status of statuses.filter((one) => /^(?:2|default)/.test(one))) {
      const old = this.#child('before', olds, status);
      const now = this.#child('after', news, status);
      if (old === null) continue;
      if (now === null)
        this.#changes.add(`${olds.pointer}/${status}`, 'response-removed', status !== 'default', '');
      else {
        this.#headers(old, now);
        this.#content(old, now, 'response');
      }
    }
    for (const status of isObject(is) ? Object.keys(is) : [])
      if (!statuses.includes(status))
        this.#changes.add(`${news.pointer}/${status}`, 'response-added', false, '');
  }

  #headers(before: Place, after: Place): void {
    const names = (place: Place): string[] => {
      const headers = member(place.value, 'headers');
      return isObject(headers) ? Object.keys(headers) : [];
    };
    const kept = new Set(names(after).map((name) => name.toLowerCase()));
    for (const name of names(before))
      if (!kept.has(name.toLowerCase()))
        this.#changes.add(`${before.pointer}/headers${pointerOf(name)}`, 'header-removed', true, '');
  }
}
