import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const SETTINGS = `
[req]
distinguished_name=dn
prompt=no
[dn]
CN=TSA
[ca]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign
[stamping]
basicConstraints=CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,timeStamping
[other]
basicConstraints=CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,serverAuth
[tsa]
default_tsa=tsa1
[tsa1]
serial=serial
crypto_device=builtin
signer_cert=tsa.pem
certs=ca.pem
signer_key=tsa.key
signer_digest=sha256
default_policy=1.2.3.4.1
other_policies=1.2.3.4.2
digests=sha256
accuracy=secs:1
ordering=no
tsa_name=no
ess_cert_id_chain=no
ess_cert_id_alg=sha256
`;

/** A time-stamp authority made with \`openssl ts\`, over HTTP. */
export interface TimeStampAuthority {
  readonly url: string;
  /** PEM file of its root. */
  readonly caFile: string;
  /** Changes what it answers: bytes, or a status. */
  answer: (reply: Buffer) => Buffer | number;
  /** Whether openssl itself holds the token for one over the data. */
  accepts(token: Buffer, data: Buffer): Promise<boolean>;
  close(): Promise<void>;
}

function makeCertificates(folder: string): void {
  const openssl = (...words: string[]): void =>
    void execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'rsa:2048', '-nodes', '-config', 'ts.cnf'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-extensions',
    'ca',
    '-subj',
    '/CN=CA',
  );
  openssl('req', ...key, '-keyout', 'tsa.key', '-out', 'tsa.csr', '-subj', '/CN=TSA');
  const sign = [
    '-req',
    '-in',
    'tsa.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '30',
  ];
  openssl('x509', ...sign, '-out', 'tsa.pem', '-extfile', 'ts.cnf', '-extensions', 'stamping');
}

export async function startTimeStampAuthority(): Promise<TimeStampAuthority> {
  const folder = mkdtempSync(join(tmpdir(), 'lgsp-tsa-'));
  const at = (file: string): string => join(folder, file);
  writeFileSync(at('ts.cnf'), SETTINGS);
  writeFileSync(at('serial'), '01\n');
  makeCertificates(folder);
  let asked = 0;
  const authority: Pick<TimeStampAuthority, 'answer'> = { answer: (reply) => reply };
  const reply = async (query: Buffer): Promise<Buffer> => {
    const name = `q${++asked}`;
    writeFileSync(at(name), query);
    await run('openssl', ['ts', '-reply', '-config', 'ts.cnf', '-queryfile', name, '-out', `${name}.tsr`], {
      cwd: folder,
    });
    return readFileSync(at(`${name}.tsr`));
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      void reply(Buffer.concat(chunks)).then((made) => {
        const answer = authority.answer(made);
        if (typeof answer === 'number') response.writeHead(answer).end();
        else response.writeHead(200, { 'content-type': 'application/timestamp-reply' }).end(answer);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(authority, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/tsa`,
    caFile: at('ca.pem'),
    async accepts(token: Buffer, data: Buffer) {
      writeFileSync(at('token'), token);
      writeFileSync(at('data'), data);
      const words = ['ts', '-verify', '-token_in', '-in', 'token', '-data', 'data', '-CAfile', 'ca.pem'];
      return await run('openssl', words, { cwd: folder }).then(
        () => true,
        () => false,
      );
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          rmSync(folder, { recursive: true, force: true });
          resolve();
        });
        server.closeAllConnections();
      }),
  });
}
