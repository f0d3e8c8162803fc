import { setTimeout as sleep } from 'node:timers/promises';
import { failure, serve, type SourceReply } from './serve.js';

/** A source that misbehaves on demand, so that an integrator can meet every refusal before it happens for real. */

const SLOW_MS = 10_000;

async function slow(signal: AbortSignal): Promise<SourceReply> {
  await sleep(SLOW_MS, undefined, { signal }).catch(() => undefined);
  return { status: 200, body: { trangThai: 'san_sang' } };
}

serve('thu-nghiem', async ({ method, path, signal }) => {
  if (method === 'POST' && path === '/noi-dung') return { status: 200, body: { daNhan: true } };
  if (path === '/trang-thai') return { status: 200, body: { trangThai: 'san_sang' } };
  // The contract promises a word; this is a number.
  if (path === '/sai-cau-truc') return { status: 200, body: { trangThai: 42 } };
  if (path === '/loi') return failure(500, 'Lỗi hệ thống', 500);
  if (path === '/cham') return await slow(signal);
  return failure(404, 'Không có chức năng này', 404);
});
