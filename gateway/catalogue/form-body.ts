import { isUtf8 } from 'node:buffer';
import type { ApiDocument } from './document.js';
import { pointerOf } from './json-tree.js';
import { malformed, readPairs, shortName, type Values } from './request-reader.js';
import { coerce } from './scalar.js';
import { propertiesOf, seenKeyword, type Types, typesOf } from './schema-types.js';

interface Field {
  readonly list: boolean;
  readonly types: Types;
}

/** Reads `application/x-www-form-urlencoded` into an object with the types of its schema. */
export class FormReader {
  readonly #fields = new Map<string, Field>();

  constructor(document: ApiDocument, schema: unknown) {
    for (const [name, property] of propertiesOf(schema, document)) {
      const types = typesOf(property, document);
      const list = types.has('array') && !types.has('string');
      const items = list ? typesOf(seenKeyword(property, 'items', document), document) : types;
      this.#fields.set(name, { list, types: items });
    }
  }

  /** @throws Problem `request_malformed` */
  read(body: Buffer): Values {
    const values: Values = {};
    if (!isUtf8(body)) {
      throw malformed('/body', 'encoding', {
        vi: 'nội dung không phải UTF-8',
        en: 'the content is not UTF-8',
      });
    }
    for (const [name, texts] of readPairs(body.toString('utf8'), '/body')) {
      const pointer = `/body${pointerOf(shortName(name))}`;
      const field = this.#fields.get(name);
      if (name === '__proto__' || (texts.length > 1 && field?.list !== true)) {
        throw malformed(pointer, 'duplicate', {
          vi: 'trường chỉ được gửi một lần',
          en: 'the field may be sent only once',
        });
      }
      const decoded = texts.map((text) => coerce(decodeField(text, pointer), field?.types ?? new Set()));
      values[name] = field?.list === true ? decoded : decoded[0];
    }
    return values;
  }
}

function decodeField(text: string, pointer: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw malformed(pointer, 'percentEncoding', {
      vi: 'mã hóa phần trăm (%) không đúng',
      en: 'the percent-encoding is wrong',
    });
  }
}
