import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { JWK } from 'jose';
import type { ApiClient, ClientProof } from './api.js';
import { CommandFailure } from './failure.js';
import type { Io } from './io.js';

/** The options of every command that speaks to a running gateway. */
export interface ConnectionOptions {
  readonly url?: string;
  readonly client?: string;
  readonly secretFile?: string;
  readonly keyFile?: string;
}

/** The options of a command whose decisions a second person takes. */
export interface ApproverOptions extends ConnectionOptions {
  readonly approverClient?: string;
  readonly approverSecretFile?: string;
  readonly approverKeyFile?: string;
}

/** No option takes the secret itself: it would stand in the list of processes and in the shell's history. */
export function withConnection(command: Command): Command {
  return command
    .option('--url <url>', 'address of the gateway (LGSP_URL; http://localhost:8080)')
    .option('--client <id>', 'client id (LGSP_CLIENT_ID)')
    .option('--secret-file <file>', 'file with the client secret (or LGSP_CLIENT_SECRET)')
    .option('--key-file <file>', 'file with the private JWK, for private_key_jwt');
}

export function withApprover(command: Command): Command {
  return command
    .option('--approver-client <id>', 'client id of a manager who publishes what --client saved')
    .option('--approver-secret-file <file>', 'file with its client secret')
    .option('--approver-key-file <file>', 'file with its private JWK, for private_key_jwt');
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CommandFailure(
      `${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`,
      2,
    );
  }
}

function readKey(file: string): JWK {
  try {
    const jwk = JSON.parse(readText(file)) as JWK;
    if (typeof jwk.kty === 'string' && typeof jwk.d === 'string') return jwk;
  } catch (error) {
    // What the parser says could repeat part of the key.
    if (error instanceof CommandFailure) throw error;
  }
  throw new CommandFailure(`${file} holds no private JWK`, 2);
}

function proofOf(options: ConnectionOptions, env: Io['env']): ClientProof {
  const { secretFile, keyFile } = options;
  if (secretFile !== undefined && keyFile !== undefined)
    throw new CommandFailure('either --secret-file or --key-file, not both', 2);
  if (keyFile !== undefined) return { kind: 'key', jwk: readKey(keyFile) };
  const secret = secretFile === undefined ? env['LGSP_CLIENT_SECRET'] : readText(secretFile);
  if (secret === undefined || secret === '')
    throw new CommandFailure('say how to sign in: --secret-file, --key-file or LGSP_CLIENT_SECRET', 2);
  return { kind: 'secret', secret };
}

function urlOf(options: ConnectionOptions, env: Io['env']): string {
  const url = (options.url ?? env['LGSP_URL'] ?? 'http://localhost:8080').replace(/\/+$/, '');
  if (/^https?:\/\/[^/?#]+$/.test(url)) return url;
  throw new CommandFailure(`${url} is not the address of a gateway`, 2);
}

export function clientOf(options: ConnectionOptions, env: Io['env']): ApiClient {
  const url = urlOf(options, env);
  const clientId = options.client ?? env['LGSP_CLIENT_ID'];
  if (clientId === undefined) throw new CommandFailure('say who signs in: --client or LGSP_CLIENT_ID', 2);
  return { url, clientId, proof: proofOf(options, env) };
}

/** The second person, if one was named; never the first one's secret out of the environment. */
export function approverOf(options: ApproverOptions, env: Io['env']): ApiClient | null {
  const { approverClient: clientId, approverSecretFile: secretFile, approverKeyFile: keyFile } = options;
  const proofs = [secretFile, keyFile].filter((file) => file !== undefined);
  if (clientId === undefined && proofs.length === 0) return null;
  if (clientId === undefined || proofs.length !== 1)
    throw new CommandFailure(
      'an approver needs --approver-client and either --approver-secret-file or --approver-key-file',
      2,
    );
  const files = {
    ...(secretFile === undefined ? {} : { secretFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
  return { url: urlOf(options, env), clientId, proof: proofOf(files, {}) };
}
