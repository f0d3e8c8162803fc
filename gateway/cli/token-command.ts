import { type Command, Option } from 'commander';
import { fetchToken } from './api.js';
import { clientOf, type ConnectionOptions, withConnection } from './connection.js';
import { type Io, json } from './io.js';

interface TokenFlags extends ConnectionOptions {
  readonly resource: 'api' | 'data';
  readonly json?: boolean;
}

async function token(io: Io, flags: TokenFlags): Promise<void> {
  const { token: text, expiresAt } = await fetchToken(clientOf(flags, io.env), flags.resource);
  io.out(flags.json === true ? json({ token: text, expiresAt: new Date(expiresAt).toISOString() }) : text);
}

/** `lgsp token`: an access token on standard output, for use in other commands. */
export function addTokenCommand(program: Command, io: Io): void {
  withConnection(program.command('token'))
    .description('print an access token of a client')
    .addOption(
      new Option('--resource <name>', 'what the token is for').choices(['data', 'api']).default('data'),
    )
    .option('--json', 'for programs')
    .action((flags: TokenFlags) => token(io, flags));
}
