const PREFERENCE =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*=[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[^"\\]|\\.)*"))?$/;

/** Longer headers say nothing that is known here. */
const MAX_LENGTH = 1024;

/** The elements of the list, each without its parameters. Commas and semicolons inside quotes are text. */
function elementsOf(header: string): string[] {
  const elements = [''];
  let quoted = false;
  let parameters = false;
  for (let i = 0; i < header.length; i += 1) {
    const char = header.charAt(i);
    if (char === '"') quoted = !quoted;
    if (!quoted && char === ',') {
      elements.push('');
      parameters = false;
      continue;
    }
    if (!quoted && char === ';') parameters = true;
    const text = quoted && char === '\\' ? header.slice(i, (i += 1) + 1) : char;
    if (!parameters) elements.push((elements.pop() ?? '') + text);
  }
  return elements;
}

function unquoted(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1).replaceAll(/\\(.)/g, '$1') : word;
}

/**
 * What a `Prefer` header asks for (RFC 7240), by lower-cased name. Of a name that comes twice the first counts; what
 * cannot be read is passed over.
 *
 * @example preferencesOf('code=404, example="Không thấy"').get('code') // '404'
 */
export function preferencesOf(header: string | undefined): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (header === undefined || header.length > MAX_LENGTH) return found;
  for (const element of elementsOf(header)) {
    const match = PREFERENCE.exec(element.trim());
    const name = match?.[1]?.toLowerCase();
    if (name !== undefined && !found.has(name)) found.set(name, unquoted(match?.[2] ?? ''));
  }
  return found;
}
