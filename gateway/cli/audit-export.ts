import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import { downloadFrom } from './api.js';
import { clientOf, type ConnectionOptions, withConnection } from './connection.js';
import { CommandFailure } from './failure.js';
import type { Io } from './io.js';

interface ExportFlags extends ConnectionOptions {
  readonly format: string;
  readonly from?: string;
  readonly to?: string;
  readonly saved?: string;
  readonly filter: readonly string[];
  readonly out: string;
}

function queryOf({ format, from, to, saved, filter }: ExportFlags): URLSearchParams {
  const query = new URLSearchParams({ format });
  for (const [name, value] of Object.entries({ from, to, saved }))
    if (value !== undefined) query.set(name, value);
  for (const one of filter) {
    const at = one.indexOf('=');
    if (at < 1) throw new CommandFailure(`--filter takes name=value, not ${one}`, 2);
    query.set(one.slice(0, at), one.slice(at + 1));
  }
  return query;
}

/** A file appears under its name only once it is whole. */
async function exportTo(io: Io, flags: ExportFlags): Promise<void> {
  const { body, record, treeSize } = await downloadFrom(
    clientOf(flags, io.env),
    `/audit/records/export?${queryOf(flags).toString()}`,
  );
  const partial = `${flags.out}.part`;
  try {
    await pipeline(body, createWriteStream(partial, { mode: 0o600 }));
    await rename(partial, flags.out);
  } catch (error) {
    await rm(partial, { force: true });
    throw new CommandFailure(`the export broke off: ${error instanceof Error ? error.message : 'unknown'}`);
  }
  io.err(`${flags.out}: from the first ${treeSize} records of the log; recorded as ${record}`);
}

/** `lgsp audit export`: records of a running gateway, to a file. */
export function addAuditExport(audit: Command, io: Io): void {
  withConnection(audit.command('export'))
    .description('write the records that meet the filters to a file')
    .addOption(
      new Option('--format <format>', 'of the file')
        .choices(['csv', 'jsonl', 'xlsx', 'bundle'])
        .default('csv'),
    )
    .option('--from <time>', 'received at this time or later, RFC 3339')
    .option('--to <time>', 'received before this time')
    .option('--saved <id>', 'a saved search')
    .option('--filter <name=value...>', 'any filter of the search of the record', [])
    .requiredOption('--out <file>', 'where to write')
    .action((flags: ExportFlags) => exportTo(io, flags));
}
