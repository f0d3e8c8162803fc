import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const MAX_BODY_BYTES = 262_144;
const MAX_BODY_MS = 10_000;

export interface SourceRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The body as JSON; null without one. */
  readonly body: unknown;
  /** Aborted when the caller hangs up. */
  readonly signal: AbortSignal;
}

export interface SourceReply {
  readonly status: number;
  readonly body: unknown;
}

export type SourceHandler = (request: SourceRequest) => SourceReply | Promise<SourceReply>;

/** A department's refusals are its own: raw, in its own words, often inside HTTP 200. */
export const failure = (code: number, message: string, status = 200): SourceReply => ({
  status,
  body: { error_code: code, error_message: message },
});

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error('too large');
    chunks.push(chunk);
  }
  return size === 0 ? null : (JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown);
}

function send(response: ServerResponse, { status, body }: SourceReply): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handler: SourceHandler,
  key: Buffer,
): Promise<SourceReply> {
  const sent = request.headers['x-api-key'];
  if (typeof sent !== 'string' || !timingSafeEqual(digest(sent), key))
    return failure(401, 'Sai khóa truy cập', 401);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const url = new URL(request.url ?? '/', 'http://source.invalid');
  let body: unknown;
  let path: string;
  try {
    path = decodeURIComponent(url.pathname);
    body = await readJson(request);
  } catch {
    return failure(2, 'Yêu cầu không đọc được', 400);
  }
  return await handler({
    method: request.method ?? 'GET',
    path,
    query: url.searchParams,
    body,
    signal: gone.signal,
  });
}

/**
 * Runs a department system as a process of its own, on the loopback address: port and key come from the environment
 * (`SOURCE_PORT`, 0 for any; `SOURCE_API_KEY`), the chosen port goes to the parent as `{ port }` and to stdout as one
 * line. It ends with its parent.
 */
export function serve(name: string, handler: SourceHandler): void {
  const apiKey = process.env['SOURCE_API_KEY'];
  if (apiKey === undefined || apiKey === '') {
    process.stderr.write(`${name}: SOURCE_API_KEY is not set\n`);
    process.exit(2);
  }
  const key = digest(apiKey);
  const server = createServer({ requestTimeout: MAX_BODY_MS }, (request, response) => {
    answer(request, response, handler, key)
      .catch(() => failure(500, 'Lỗi hệ thống', 500))
      .then(
        (reply) => send(response, reply),
        () => response.destroy(),
      );
  });
  server.listen(Number(process.env['SOURCE_PORT'] ?? '0'), '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    process.stdout.write(`${name} ${port}\n`);
    process.send?.({ port });
  });
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C reaches the whole process group; the parent decides when its sources may go.
  if (process.send !== undefined) process.on('SIGINT', () => undefined);
}
