const BLANK = /[\t\n\r ]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y;

/** Where JSON stops being JSON. Runs only for text that did not parse: engines word their own message with the sender's data in it. */
class SyntaxScan {
  at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  document(): boolean {
    return this.#value() && this.at === this.#text.length;
  }

  #eat(token: RegExp): boolean {
    token.lastIndex = this.at;
    if (!token.test(this.#text)) return false;
    this.at = token.lastIndex;
    return true;
  }

  #mark(mark: string): boolean {
    this.#eat(BLANK);
    if (this.#text[this.at] !== mark) return false;
    this.at += 1;
    this.#eat(BLANK);
    return true;
  }

  #value(): boolean {
    this.#eat(BLANK);
    const ok = this.#mark('{')
      ? this.#members('}', () => this.#eat(STRING) && this.#mark(':') && this.#value())
      : this.#mark('[')
        ? this.#members(']', () => this.#value())
        : this.#eat(STRING) || this.#eat(SCALAR);
    if (ok) this.#eat(BLANK);
    return ok;
  }

  #members(end: string, one: () => boolean): boolean {
    if (this.#mark(end)) return true;
    do if (!one()) return false;
    while (this.#mark(','));
    return this.#mark(end);
  }
}

/** The offset, in characters from 0, of the first character that cannot belong to a JSON text. */
export function findSyntaxError(text: string): number {
  const scan = new SyntaxScan(text);
  scan.document();
  return scan.at;
}
