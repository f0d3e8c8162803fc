import type { OperationFacts, SetupFault } from './connector.js';
import { parseSource, parseTemplate, type Source, TemplateError } from './mapping/template.js';

/** RFC 6901. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

export function setupFault(
  path: readonly PropertyKey[],
  keyword: string,
  vi: string,
  en: string,
): SetupFault {
  return { pointer: pointerOf(path), keyword, vi, en };
}

const IN_OF_ROOT: Readonly<Record<string, string>> = { path: 'path', query: 'query', header: 'header' };

/** What templates may name at one place. */
export interface Names {
  /** null in settings, which belong to no operation. */
  readonly facts: OperationFacts | null;
  readonly credentials: readonly string[];
}

function missingName(source: Source, names: Names): string | null {
  const [name = ''] = source.steps;
  if (source.root === 'credential') return names.credentials.includes(name) ? null : `credential.${name}`;
  const place = IN_OF_ROOT[source.root];
  if (names.facts === null)
    return place === undefined && source.root !== 'body' ? null : `${source.root}.${name}`;
  if (source.root === 'body') return names.facts.hasBody ? null : 'body';
  if (place === undefined) return null;
  const known = names.facts.parameters.some(
    (parameter) =>
      parameter.in === place &&
      (place === 'header' ? parameter.name.toLowerCase() === name : parameter.name === name),
  );
  return known ? null : `${source.root}.${name}`;
}

/** Faults for sources that the operation does not have. */
export function sourceFaults(
  sources: readonly Source[],
  names: Names,
  path: readonly PropertyKey[],
): SetupFault[] {
  return sources.flatMap((source) => {
    const missing = missingName(source, names);
    if (missing === null) return [];
    return [
      setupFault(
        path,
        'source',
        `Không có giá trị ${missing} để tham chiếu`,
        `There is no ${missing} to refer to`,
      ),
    ];
  });
}

function grammarFault(path: readonly PropertyKey[], error: unknown): SetupFault[] {
  if (!(error instanceof TemplateError)) throw error;
  return [
    setupFault(
      path,
      'template',
      `Mẫu không hợp lệ (${error.message})`,
      `The template is not valid: ${error.message}`,
    ),
  ];
}

export function templateFaults(text: string, names: Names, path: readonly PropertyKey[]): SetupFault[] {
  try {
    return sourceFaults(parseTemplate(text).sources, names, path);
  } catch (error) {
    return grammarFault(path, error);
  }
}

export function expressionFaults(text: string, names: Names, path: readonly PropertyKey[]): SetupFault[] {
  try {
    return sourceFaults([parseSource(text)], names, path);
  } catch (error) {
    return grammarFault(path, error);
  }
}

/** A secret written into a manifest would be exported with it: it must come from a sealed credential. */
export function secretFaults(text: string, path: readonly PropertyKey[]): SetupFault[] {
  try {
    if (parseTemplate(text).sources.some((source) => source.root === 'credential')) return [];
  } catch {
    return [];
  }
  return [
    setupFault(
      path,
      'credential',
      'Mật khẩu, mã bí mật phải lấy từ thông tin xác thực được niêm phong: {credential.tên}',
      'A secret comes from a sealed credential: {credential.name}',
    ),
  ];
}
