interface RestDocument {
  readonly paths?: Readonly<Record<string, { readonly 'x-rest'?: boolean }>>;
}

function fits(template: readonly string[], segments: readonly string[]): boolean {
  return template.every((part, i) => part.startsWith('{') || part === segments[i]);
}

/**
 * A path of OpenAPI holds no slash inside a parameter, and the tiles of a log are named by paths. Where a path of the
 * contract says `x-rest: true`, its last parameter takes all that is left: the slashes in it are encoded before the
 * path is matched, and decoded with the rest of the parameter.
 */
export function restFolder(document: RestDocument): (path: string) => string {
  const templates = Object.entries(document.paths ?? {})
    .filter(([, item]) => item['x-rest'] === true)
    .map(([template]) => template.split('/'));
  return (path) => {
    const segments = path.split('/');
    const template = templates.find(
      (one) => segments.length > one.length && fits(one.slice(0, -1), segments),
    );
    if (template === undefined) return path;
    const whole = segments.slice(0, template.length - 1);
    return [...whole, segments.slice(template.length - 1).join('%2F')].join('/');
  };
}
