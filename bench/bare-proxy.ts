import { createServer } from 'node:http';
import { Pool } from 'undici';

/** The least a proxy in Node can do: `node:http` in front, undici behind, bytes through. The yardstick. */
const upstream = new Pool(process.argv[2] ?? '', { connections: 128 });
const server = createServer((request, response) => {
  upstream
    .request({ path: request.url ?? '/', method: 'GET', headers: { accept: 'application/json' } })
    .then(async ({ statusCode, headers, body }) => {
      const bytes = Buffer.from(await body.arrayBuffer());
      response.writeHead(statusCode, {
        'content-type': headers['content-type'] as string,
        'content-length': bytes.length,
      });
      response.end(bytes);
    })
    .catch(() => {
      response.writeHead(502);
      response.end();
    });
});
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as { port: number }).port }));
process.on('disconnect', () => process.exit(0));
