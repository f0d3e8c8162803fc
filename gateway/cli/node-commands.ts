import type { Command } from 'commander';
import { migrate, openDatabase, rollback } from '../store/database.js';
import { type Io, json } from './io.js';
import { loadSettings } from './settings.js';

interface StartFlags {
  readonly config?: string;
}

interface MigrateFlags extends StartFlags {
  readonly down?: boolean;
  readonly json?: boolean;
}

/** Until somebody asks the process to end; a second time ends it at once. */
async function untilAsked(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
}

async function start(io: Io, flags: StartFlags): Promise<void> {
  const config = loadSettings(flags.config, io.env);
  // Loaded only here: the whole gateway is a lot to read for a command that asks one thing.
  const { startGateway } = await import('../main.js');
  const gateway = await startGateway(config);
  io.out(`listening at ${gateway.url}, known as ${config.publicUrl}`);
  await untilAsked();
  await gateway.close();
}

async function runMigrations(io: Io, flags: MigrateFlags): Promise<void> {
  const database = openDatabase(loadSettings(flags.config, io.env));
  try {
    const down = flags.down === true;
    const steps = await (down ? rollback(database) : migrate(database));
    const said =
      steps.length === 0 ? 'nothing to do' : `${down ? 'taken back' : 'done'}: ${steps.join(', ')}`;
    io.out(flags.json === true ? json({ direction: down ? 'down' : 'up', steps }) : said);
  } finally {
    await database.close();
  }
}

/** `lgsp start` and `lgsp migrate`: what is done on the node itself. */
export function addNodeCommands(program: Command, io: Io): void {
  program
    .command('start')
    .description('run a gateway until SIGINT or SIGTERM')
    .option('--config <file>', 'settings, YAML or JSON; LGSP_* variables come on top')
    .action((flags: StartFlags) => start(io, flags));
  program
    .command('migrate')
    .description('bring the tables up to date')
    .option('--config <file>', 'settings, YAML or JSON; LGSP_* variables come on top')
    .option('--down', 'take back the last batch of steps instead')
    .option('--json', 'for programs')
    .action((flags: MigrateFlags) => runMigrations(io, flags));
}
