import { type Document, isScalar, parseDocument, Scalar, visit } from 'yaml';

/** A file that cannot be used, with where and why. */
export class TreeError extends Error {
  override readonly name = 'TreeError';
}

export type Values = Readonly<Record<string, string | undefined>>;

const PLACEHOLDER = /\$?\$\{([A-Z][A-Z0-9_]*)\}/g;

function valueOf(values: Values, name: string, file: string): string {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (value === undefined) throw new TreeError(`${file}: \${${name}} has no value in the environment`);
  return value;
}

/** `$${NAME}` stands for the text `${NAME}` itself. */
function filled(text: string, values: Values, file: string): string {
  return text.replace(PLACEHOLDER, (whole, name: string) =>
    whole.startsWith('$$') ? whole.slice(1) : valueOf(values, name, file),
  );
}

/** An unquoted value is read as YAML would read it: a port becomes a number. */
function retyped(node: Scalar, text: string): unknown {
  if (node.type !== Scalar.PLAIN) return text;
  return /^-?(?:0|[1-9][0-9]{0,14})$/.test(text)
    ? Number(text)
    : text === 'true'
      ? true
      : text === 'false'
        ? false
        : text;
}

function assertReadable(document: Document, file: string): void {
  const [fault] = document.errors;
  if (fault !== undefined) throw new TreeError(`${file}: ${fault.message}`);
}

/**
 * Reads YAML and replaces `${NAME}` in its values. The text is parsed first, so that a value can never become
 * structure, and nothing in a comment counts.
 *
 * @throws TreeError for faulty YAML or a name without a value
 */
export function readYaml(text: string, values: Values, file: string): unknown {
  const document = parseDocument(text, { prettyErrors: true });
  assertReadable(document, file);
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || !isScalar(node) || typeof node.value !== 'string') return;
      if (!node.value.includes('${')) return;
      node.value = retyped(node, filled(node.value, values, file));
    },
  });
  return document.toJS({ maxAliasCount: 100 }) as unknown;
}

/** The other way: text that looks like a placeholder is kept as text. */
export function escapePlaceholders(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\$\{(?=[A-Z][A-Z0-9_]*\})/g, () => '$${');
  if (Array.isArray(value)) return value.map(escapePlaceholders);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, escapePlaceholders(part)]));
}
