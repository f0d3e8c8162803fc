import { createServer } from 'node:http';

/** A department system that does nothing but answer 1 KB of JSON: what is measured is everything before it. */
const rows = Array.from({ length: 6 }, (_, i) => ({
  code: String(3400 + i * 7).padStart(5, '0'),
  name: `Xã Pu Sam Cáp ${i}`,
  full_name: `Xã Pu Sam Cáp ${i}, tỉnh Lai Châu`,
  type: 'xa',
  parent_code: '12',
  effective_from: '2025-07-01',
}));
const body = Buffer.from(JSON.stringify({ data: rows, total: rows.length }));
const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length };

const server = createServer((_request, response) => {
  response.writeHead(200, headers);
  response.end(body);
});
server.keepAliveTimeout = 120_000;
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  process.send?.({ port: (server.address() as { port: number }).port, bytes: body.length });
});
process.on('disconnect', () => process.exit(0));
