import { Argument, type Command } from 'commander';
import { archiveFolder } from '../audit/archive/folder.js';
import { systemClock } from '../base/clock.js';
import { createLog } from '../base/log.js';
import { KeyRing } from '../identity/key-ring.js';
import { openSealing } from '../identity/sealing.js';
import { type Database, openDatabase } from '../store/database.js';
import { KEY_PURPOSES, type KeyPurpose } from '../store/signing-keys.js';
import { addArchiveCommands } from './archive-commands.js';
import { addAuditExport } from './audit-export.js';
import type { Verification } from '../audit/verify/verify.js';
import { CommandFailure } from './failure.js';
import { type Io, json } from './io.js';
import { loadSettings } from './settings.js';
import { checkBundle } from './verify-bundle.js';
import { checkReceipt } from './verify-receipt.js';
import { verifyInstallation } from './verify-log.js';
import { progressFor } from './verify-progress.js';

interface NodeFlags {
  readonly config?: string;
  readonly json?: boolean;
}

async function rotate(io: Io, purpose: KeyPurpose, flags: NodeFlags): Promise<void> {
  const config = loadSettings(flags.config, io.env);
  const database = openDatabase(config);
  try {
    const keyRing = await KeyRing.open({
      database,
      sealing: await openSealing({ ...config, database }),
      clock: systemClock,
      log: createLog(config.logLevel),
      tokenTtlSeconds: config.tokens.ttlSeconds,
    });
    const { kid, signsFrom } = await keyRing.rotate(purpose);
    const from = new Date(signsFrom).toISOString();
    io.out(
      flags.json === true
        ? json({ purpose, kid, signsFrom: from })
        : `${purpose} key ${kid} signs from ${from}`,
    );
  } finally {
    await database.close();
  }
}

interface VerifyFlags extends NodeFlags {
  readonly key: readonly string[];
  readonly checkpoint: readonly string[];
  readonly receipt?: string;
  readonly bundle?: string;
  readonly witness: readonly string[];
  readonly handOvers?: string;
  readonly body?: string;
}

async function verified(
  database: Database,
  archive: string | null,
  io: Io,
  flags: VerifyFlags,
): Promise<Verification> {
  const ask = { keys: flags.key, checkpoints: flags.checkpoint, archive };
  if (flags.json === true) return await verifyInstallation(database, ask);
  const progress = progressFor(io);
  try {
    return await verifyInstallation(database, {
      ...ask,
      onProgress: (done, size) => progress.told(done, size),
    });
  } finally {
    progress.end();
  }
}

function holds({ size, root, hashesOnly }: Verification): string {
  const only =
    hashesOnly === 0 ? '' : `; of ${hashesOnly} of them only the hashes, which are in it, are here`;
  return `the log holds: ${size} records, root ${root}${only}`;
}

async function verify(io: Io, flags: VerifyFlags): Promise<void> {
  if (flags.receipt !== undefined && flags.bundle !== undefined)
    throw new CommandFailure('either --receipt or --bundle, not both', 2);
  if (flags.witness.length > 0 && flags.bundle === undefined)
    throw new CommandFailure('--witness goes with --bundle', 2);
  if (flags.bundle !== undefined) {
    await checkBundle(io, { ...flags, bundle: flags.bundle });
    return;
  }
  if (flags.receipt !== undefined) {
    checkReceipt(io, { ...flags, receipt: flags.receipt });
    return;
  }
  const config = loadSettings(flags.config, io.env);
  const database = openDatabase(config);
  try {
    const found = await verified(database, archiveFolder(config), io, flags);
    if (flags.json === true) io.out(json(found));
    else if (found.ok) io.out(holds(found));
    if (found.ok) return;
    const { index = 0, detail = 'unknown' } = found.fault ?? {};
    throw new CommandFailure(`the log does not hold at record ${index}: ${detail}`);
  } finally {
    await database.close();
  }
}

const CONFIG = ['--config <file>', 'settings, YAML or JSON; LGSP_* variables come on top'] as const;
const JSON_OPTION = ['--json', 'for programs'] as const;

function addKeys(program: Command, io: Io): void {
  program
    .command('keys')
    .description('the keys of the installation')
    .command('rotate')
    .description('make a new key; the old one verifies until what it signed has ended')
    .addArgument(new Argument('[purpose]', 'which key').choices(KEY_PURPOSES).default('token'))
    .option(...CONFIG)
    .option(...JSON_OPTION)
    .action((purpose: KeyPurpose, flags: NodeFlags) => rotate(io, purpose, flags));
}

function addAudit(program: Command, io: Io): void {
  const audit = program.command('audit').description('the record of every call');
  addAuditExport(audit, io);
  addArchiveCommands(audit, io);
  audit
    .command('verify')
    .description('recompute the whole log, and name the first record that was changed, removed or moved')
    .option('--key <vkey...>', "trust these verifier keys rather than the database's own", [])
    .option(
      '--checkpoint <file...>',
      'a checkpoint or witness evidence kept outside, which the log must contain: signed by --key',
      [],
    )
    .option('--receipt <file>', 'verify this receipt instead, offline: needs --key, reads no database')
    .option('--bundle <file>', 'verify this evidence bundle instead, offline: needs --key, reads no database')
    .option(
      '--witness <name=key...>',
      'with --bundle: verify what this witness gave, by its verifier key or the PEM file of its roots',
      [],
    )
    .option(
      '--hand-overs <file>',
      'with --receipt: what /api/audit/log/keys answers, to follow --key to later keys',
    )
    .option('--body <file>', 'with --receipt: the response body, held against the record')
    .option(...CONFIG)
    .option(...JSON_OPTION)
    .action((flags: VerifyFlags) => verify(io, flags));
}

/** `lgsp keys …` and `lgsp audit …`: run beside the database. */
export function addOperationsCommands(program: Command, io: Io): void {
  addKeys(program, io);
  addAudit(program, io);
}
