import { EACH, stepsOf } from './secrecy-marks.js';

/** One step of the approved fields; null where everything below is approved. */
type Node = Map<string, Node> | null;

/** What is left of an answer, and which of the approved fields it holds. */
export interface Narrowed {
  readonly body: Buffer;
  /** Approved pointers that lead to something in this answer, in their order. */
  readonly disclosed: readonly string[];
}

function grow(pointers: readonly string[]): Node {
  const root: Map<string, Node> = new Map();
  for (const pointer of pointers) {
    const steps = stepsOf(pointer);
    let at = root;
    for (const [i, step] of steps.entries()) {
      const known = at.get(step);
      if (known === null) break;
      if (i === steps.length - 1) at.set(step, null);
      else {
        const next = known ?? new Map<string, Node>();
        at.set(step, next);
        at = next;
      }
    }
  }
  return root;
}

const SPACE = new Set([' ', '\n', '\r', '\t']);

/**
 * Copies what is approved out of JSON text and drops the rest. It works on the text, not on parsed values, so that
 * what is left keeps the digits of its numbers and the spelling of its strings.
 *
 * The text must be known to be JSON: it has passed the contract.
 */
class Reader {
  readonly #text: string;
  readonly found = new Set<string>();
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The value at the cursor, narrowed; null when nothing of it is approved. Moves past it. */
  take(node: Node, path: string): string | null {
    this.#blank();
    const from = this.#at;
    if (node === null) {
      this.#skip();
      this.found.add(path);
      return this.#text.slice(from, this.#at);
    }
    const first = this.#text[from];
    if (first === '{') return this.#object(node, path);
    if (first === '[') return this.#array(node, path);
    this.#skip();
    return null;
  }

  #blank(): void {
    while (SPACE.has(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  /** Past the next character that is no blank. @returns it */
  #next(): string {
    this.#blank();
    const found = this.#text[this.#at] ?? '';
    this.#at += 1;
    return found;
  }

  #peek(): string {
    this.#blank();
    return this.#text[this.#at] ?? '';
  }

  #object(node: Map<string, Node>, path: string): string {
    const members: string[] = [];
    this.#next();
    while (this.#peek() !== '}') {
      const from = this.#at;
      this.#string();
      const written = this.#text.slice(from, this.#at);
      const name = JSON.parse(written) as string;
      this.#next();
      const step = node.has(name) ? name : EACH;
      const member = this.#child(node, step, path);
      if (member !== null) members.push(`${written}:${member}`);
      if (this.#peek() === ',') this.#next();
    }
    this.#next();
    return `{${members.join(',')}}`;
  }

  #array(node: Map<string, Node>, path: string): string {
    const items: string[] = [];
    this.#next();
    while (this.#peek() !== ']') {
      const item = this.#child(node, EACH, path);
      if (item !== null) items.push(item);
      if (this.#peek() === ',') this.#next();
    }
    this.#next();
    return `[${items.join(',')}]`;
  }

  #child(node: Map<string, Node>, step: string, path: string): string | null {
    const below = node.get(step);
    if (below === undefined) {
      this.#blank();
      this.#skip();
      return null;
    }
    return this.take(below, `${path}/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  }

  #string(): void {
    this.#at += 1;
    for (;;) {
      const end = this.#text.indexOf('"', this.#at);
      let slashes = 0;
      while (this.#text[end - 1 - slashes] === '\\') slashes += 1;
      this.#at = end + 1;
      if (slashes % 2 === 0) return;
    }
  }

  /** Past one value, without recursion: it may nest deeply. */
  #skip(): void {
    let depth = 0;
    do {
      const char = this.#peek();
      if (char === '"') this.#string();
      else if (char === '{' || char === '[') {
        depth += 1;
        this.#at += 1;
      } else if (char === '}' || char === ']') {
        depth -= 1;
        this.#at += 1;
      } else if (char === ',' || char === ':') this.#at += 1;
      else this.#scalar();
    } while (depth > 0);
  }

  #scalar(): void {
    const start = this.#at;
    while (/[^\s,\]}]/.test(this.#text[this.#at] ?? ',')) this.#at += 1;
    if (this.#at === start) throw new Error('not JSON after all');
  }
}

/** The fields of an operation's answers that an approval lets pass. */
export class Disclosure {
  readonly pointers: readonly string[];
  readonly #root: Node;

  /** @param pointers into the answer's body, e.g. `/nguoiNop/ten`; the step `*` stands for every item of a list */
  constructor(pointers: readonly string[]) {
    this.pointers = pointers;
    this.#root = grow(pointers);
  }

  /** @param body JSON that has passed the contract */
  narrow(body: Buffer): Narrowed {
    const reader = new Reader(body.toString('utf8'));
    const left = reader.take(this.#root, '') ?? 'null';
    const disclosed = this.pointers.filter((pointer) => reader.found.has(pointer));
    return { body: Buffer.from(left), disclosed };
  }
}
