import { request } from 'undici';
import { egressAgent } from '../../connectors/egress-agent.js';
import type { Egress } from '../../connectors/egress.js';

const MOST_BYTES = 262_144;
const TIMEOUT_MS = 5000;

export interface EgressRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface EgressAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

async function read(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Error(`an answer of more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** One request of the gateway's own through the allow-list, bounded in time and size; redirects are not followed. */
export async function egressFetch(
  egress: Egress,
  address: string,
  { method = 'GET', headers = {}, body }: EgressRequest = {},
): Promise<EgressAnswer> {
  const url = new URL(address);
  const agent = egressAgent(egress, url, TIMEOUT_MS);
  try {
    const answer = await request(url, {
      ...{ dispatcher: agent, method, signal: AbortSignal.timeout(TIMEOUT_MS) },
      headers: { 'user-agent': 'lgsp-gateway', ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const contentType = answer.headers['content-type'];
    return {
      status: answer.statusCode,
      contentType: Array.isArray(contentType) ? (contentType[0] ?? '') : (contentType ?? ''),
      text: await read(answer.body),
    };
  } finally {
    await agent.destroy();
  }
}
