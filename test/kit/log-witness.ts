import { generateKeyPairSync, hash, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openCheckpoint, parseVerifierKey } from '../../gateway/audit/checkpoint.js';
import { verifyConsistency } from '../../gateway/audit/proofs.js';

/** A witness that speaks C2SP tlog-witness and keeps to it. */
export interface LogWitness {
  readonly url: string;
  /** Its vkey. */
  readonly verifierKey: string;
  /** What it cosigned last. */
  seen: { size: number; root: Buffer };
  /** Set, it answers with this and nothing else; 0 never answers. */
  status: number | null;
  readonly asked: { old: number; size: number }[];
  close(): Promise<void>;
}

function vkeyOf(name: string, raw: Buffer): { vkey: string; keyHash: Buffer } {
  const typed = Buffer.concat([Buffer.from([4]), raw]);
  const keyHash = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typed]), 'buffer').subarray(0, 4);
  return { vkey: `${name}+${keyHash.toString('hex')}+${typed.toString('base64')}`, keyHash };
}

/** @param logKeys vkeys of the log that it knows, asked for at every request */
export async function startLogWitness(logKeys: () => readonly string[]): Promise<LogWitness> {
  const NAME = 'witness.test/w1';
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { vkey, keyHash } = vkeyOf(NAME, publicKey.export({ format: 'der', type: 'spki' }).subarray(-32));

  const cosign = (text: string): string => {
    const time = 1_790_000_000n;
    const stamped = Buffer.alloc(8);
    stamped.writeBigUInt64BE(time);
    const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), privateKey);
    return `\u2014 ${NAME} ${Buffer.concat([keyHash, stamped, signature]).toString('base64')}\n`;
  };

  function judge(body: string): { status: number; text: string; type?: string } {
    const end = body.indexOf('\n\n');
    const [first = '', ...proof] = body.slice(0, end).split('\n');
    const note = body.slice(end + 2);
    const head = openCheckpoint(note, logKeys().map(parseVerifierKey));
    const old = Number(/^old (\d+)$/.exec(first)?.[1] ?? Number.NaN);
    if (head === null) return { status: 403, text: '' };
    witness.asked.push({ old, size: head.size });
    if (!(old <= head.size)) return { status: 400, text: '' };
    if (old !== witness.seen.size)
      return { status: 409, text: `${witness.seen.size}\n`, type: 'text/x.tlog.size' };
    const hashes = proof.map((line) => Buffer.from(line, 'base64'));
    const holds =
      old === 0
        ? hashes.length === 0
        : verifyConsistency(old, head.size, hashes, witness.seen.root, head.root);
    if (!holds) return { status: 422, text: '' };
    witness.seen = { size: head.size, root: head.root };
    return { status: 200, text: cosign(note.slice(0, note.lastIndexOf('\n\n') + 1)) };
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (witness.status === 0) return;
      const { status, text, type } =
        witness.status !== null
          ? { status: witness.status, text: '' }
          : request.url === '/w1/add-checkpoint'
            ? judge(Buffer.concat(chunks).toString('utf8'))
            : { status: 404, text: '' };
      response.writeHead(status, type === undefined ? {} : { 'content-type': type }).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const witness: LogWitness = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/w1`,
    verifierKey: vkey,
    seen: { size: 0, root: Buffer.alloc(32) },
    status: null,
    asked: [],
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return witness;
}
