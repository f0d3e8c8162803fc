import { Command, CommanderError } from 'commander';
import { addFilesCommands } from './files-commands.js';
import { CommandFailure } from './failure.js';
import type { Io } from './io.js';
import { addNodeCommands } from './node-commands.js';
import { addOperationsCommands } from './operations-commands.js';
import { addServiceCommands } from './service-commands.js';
import { TreeError } from './substitute.js';
import { addTokenCommand } from './token-command.js';

function createProgram(io: Io): Command {
  const program = new Command('lgsp')
    .description('The data-sharing gateway of a province, from the command line')
    .exitOverride()
    .showHelpAfterError('(--help says more)')
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
    });
  addNodeCommands(program, io);
  addFilesCommands(program, io);
  addServiceCommands(program, io);
  addOperationsCommands(program, io);
  addTokenCommand(program, io);
  return program;
}

function exitCodeOf(error: unknown, io: Io): number {
  // Commander has said it already; help that was asked for is no mistake.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CommandFailure) {
    io.err(error.message);
    return error.exitCode;
  }
  if (error instanceof TreeError) {
    io.err(error.message);
    return 1;
  }
  io.err(`lgsp failed: ${error instanceof Error ? error.message : 'for no known reason'}`);
  return 1;
}

/**
 * Runs one command.
 *
 * @param args without the interpreter and the script, e.g. `['apply', '-f', 'province']`
 * @returns the exit code: 0 held, 1 did not hold, 2 asked wrongly
 */
export async function runCommand(args: readonly string[], io: Io): Promise<number> {
  try {
    await createProgram(io).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    return exitCodeOf(error, io);
  }
}
