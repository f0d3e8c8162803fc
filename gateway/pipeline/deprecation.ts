import type { PublishedService } from '../catalogue/published-service.js';

const httpDate = (ms: number): string => new Date(ms).toUTCString();

/** For every answer of a service that will end: RFC 9745, RFC 8594 and RFC 5829; empty for the others. */
export function deprecationHeaders(
  { row }: PublishedService,
  publicUrl: string,
): Readonly<Record<string, string>> {
  const { deprecated_at: since, sunset_at: sunset, successor, id } = row;
  if (since == null || sunset == null) return NONE;
  const links = [`<${publicUrl}/docs/${id}>; rel="deprecation"`];
  if (successor != null) links.push(`<${publicUrl}/data/${successor}>; rel="successor-version"`);
  return {
    Deprecation: `@${Math.floor(since / 1000)}`,
    Sunset: httpDate(sunset),
    Link: links.join(', '),
  };
}

const NONE: Readonly<Record<string, string>> = {};
