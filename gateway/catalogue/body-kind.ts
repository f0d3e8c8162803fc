import type { ApiDocument, Place } from './document.js';
import { member } from './json-tree.js';
import { FORM, isJsonType } from './media-types.js';
import { isUntyped, typesOf } from './schema-types.js';

/** How a body is checked: as JSON, as a form, or by its media type alone (`opaque`). */
export type BodyKind = 'json' | 'form' | 'opaque';

export interface DeclaredBody {
  readonly pointer: string;
  /** The media type range as declared, lower-cased. */
  readonly range: string;
  /** Undefined when the document gives none. */
  readonly schema: unknown;
  /** Whether a text that is neither JSON nor a form can be what the schema describes. */
  readonly admitsText: boolean;
}

export function declaredBody(document: ApiDocument, range: string, place: Place): DeclaredBody {
  const schema = member(place.value, 'schema');
  const types = typesOf(schema, document);
  return { pointer: place.pointer, range, schema, admitsText: isUntyped(types) || types.has('string') };
}

/**
 * What a body of this media type is under its declaration. Null refuses it: a range such as `*\/*` must not let a
 * body that has a structure pass unchecked, merely because it says to be text.
 */
export function bodyKind(declared: DeclaredBody, essence: string): BodyKind | null {
  if (isJsonType(essence)) return 'json';
  if (essence === FORM) return 'form';
  return !declared.range.includes('*') || declared.admitsText ? 'opaque' : null;
}
