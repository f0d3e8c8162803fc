import { _, Ajv2020, type KeywordCxt } from 'ajv/dist/2020.js';
import { type SchemaTranslator, STEP_KEYWORD } from './dialect.js';
import { FORMATS } from './formats.js';
import { linearRegExp } from './patterns.js';

/** A message needs more work than a message of its size may cost. */
export class TooMuchWork extends Error {
  override readonly name = 'TooMuchWork';
}

/** Work left for the message that is being checked. Checks are synchronous, so one meter serves all. */
const meter = {
  left: 0,
  spent(): never {
    throw new TooMuchWork('the message takes too much work to check');
  },
};

/** Gives the next check its allowance: generous for any honest message, far from exponential. */
export function allowWork(bytes: number): void {
  meter.left = 20_000 + 40 * bytes;
}

function countStep(cxt: KeywordCxt): void {
  const counter = cxt.gen.scopeValue('obj', { ref: meter });
  cxt.gen.if(_`--${counter}.left < 0`, () => cxt.gen.code(_`${counter}.spent()`));
}

/**
 * An Ajv that refuses at compile time whatever it would otherwise pass over: unknown keywords, unknown formats.
 * `ownProperties`, or a member named `constructor` would be found in every object.
 */
export function createAjv(options: { readonly allErrors: boolean }): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: options.allErrors,
    strict: false,
    strictSchema: true,
    strictNumbers: true,
    allowMatchingProperties: true,
    ownProperties: true,
    validateSchema: false,
    meta: false,
    addUsedSchema: false,
    logger: false,
    messages: false,
    formats: FORMATS,
    code: { regExp: linearRegExp },
  });
  ajv.addKeyword({ keyword: STEP_KEYWORD, schemaType: 'boolean', code: countStep });
  return ajv;
}

/** An Ajv that knows everything a translator has translated so far. */
export class Engine {
  readonly #ajv: Ajv2020;
  readonly #translator: SchemaTranslator;
  #known = 0;

  constructor(translator: SchemaTranslator, options: { readonly allErrors: boolean }) {
    this.#ajv = createAjv(options);
    this.#translator = translator;
  }

  /** Ready to compile the schemas translated last. */
  get ajv(): Ajv2020 {
    const { definitions } = this.#translator;
    for (; this.#known < definitions.length; this.#known += 1) {
      const definition = definitions[this.#known];
      if (definition !== undefined) this.#ajv.addSchema(definition.schema, definition.uri);
    }
    return this.#ajv;
  }
}
