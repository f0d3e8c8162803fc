import type { ApiDocument } from './document.js';
import { SchemaSample, type SampleStyle } from './sample-schema.js';
import { Unmakeable } from './sample-shape.js';
import type { Handle, Validators } from './validators.js';

/** The richest first; an example that does not fit, or members that contradict one another, lead on to the next. */
const STYLES: readonly SampleStyle[] = [
  { examples: true, optional: true },
  { examples: false, optional: true },
  { examples: true, optional: false },
  { examples: false, optional: false },
];

/**
 * Each schema with alternatives that is asked about is compiled; those of a document may have only so many characters.
 * Past that the first alternative is believed, and the check of the whole decides.
 */
const MAX_JUDGED = 65_536;

/** A sample as JSON; `text` is null where none could be made. */
export interface SchemaText {
  readonly text: string | null;
  readonly fits: boolean;
}

/**
 * Samples of the schemas of one document, each made once. They are kept as texts under the pointer of what they are
 * for, so that they take no more room than the document has such places.
 */
export class SchemaSamples {
  readonly #document: ApiDocument;
  readonly #validators: Validators;
  readonly #made = new Map<string, SchemaText>();
  readonly #judges = new Map<unknown, Handle>();
  #judged = 0;

  constructor(document: ApiDocument, validators: Validators) {
    this.#document = document;
    this.#validators = validators;
  }

  /**
   * @param pointer of the place that the sample is for
   * @param fits whether a value is what that place wants
   */
  of(pointer: string, schema: unknown, fits: (value: unknown) => boolean): SchemaText {
    const known = this.#made.get(pointer);
    if (known !== undefined) return known;
    const made = this.#make(schema, fits);
    this.#made.set(pointer, made);
    return made;
  }

  #make(schema: unknown, fits: (value: unknown) => boolean): SchemaText {
    let first: string | null = null;
    for (const style of STYLES) {
      const text = this.#text(schema, style, fits);
      if (text === null) continue;
      if (fits(JSON.parse(text))) return { text, fits: true };
      first ??= text;
    }
    return { text: first, fits: false };
  }

  #text(schema: unknown, style: SampleStyle, fits: (value: unknown) => boolean): string | null {
    // The whole has a validator already.
    const accepts = (part: unknown, value: unknown): boolean =>
      part === schema ? fits(value) : this.#accepts(part, value);
    try {
      return JSON.stringify(new SchemaSample(this.#document, style, accepts).make(schema));
    } catch (error) {
      if (error instanceof Unmakeable) return null;
      throw error;
    }
  }

  #accepts(schema: unknown, value: unknown): boolean {
    const judge = this.#judgeOf(schema);
    return judge === null || this.#validators.admits(judge, value, JSON.stringify(value).length);
  }

  #judgeOf(schema: unknown): Handle | null {
    const known = this.#judges.get(schema);
    if (known !== undefined) return known;
    this.#judged += JSON.stringify(schema).length;
    const judge = this.#judged <= MAX_JUDGED ? this.#validators.response(schema) : null;
    if (judge !== null) this.#judges.set(schema, judge);
    return judge;
  }
}
