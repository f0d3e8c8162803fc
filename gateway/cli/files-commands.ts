import type { Command } from 'commander';
import { httpApi } from './api.js';
import { applyTree, type ApplyResult, loadTree } from './apply.js';
import {
  type ApproverOptions,
  approverOf,
  clientOf,
  type ConnectionOptions,
  withApprover,
  withConnection,
} from './connection.js';
import { actorsOf, credentialFile } from './credential-file.js';
import { exportTree, writeFiles } from './export.js';
import { type Io, json, table } from './io.js';

interface ApplyFlags extends ApproverOptions {
  readonly file: string;
  readonly dryRun?: boolean;
  readonly refreshCredentials?: boolean;
  readonly credentialsOut?: string;
  readonly actAs?: string;
  readonly json?: boolean;
}

interface ExportFlags extends ConnectionOptions {
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

function report({ rows, credentials }: ApplyResult, flags: ApplyFlags): string {
  const waiting = rows.filter((row) => row.waiting === true).map(({ key }) => key);
  if (flags.json === true) {
    const made = credentials.map(({ id, auth }) => ({ id, auth }));
    return json({ dryRun: flags.dryRun === true, rows, credentials: made, waiting });
  }
  const cells = rows.map(({ noun, key, action, steps }) => [noun, key, action, steps.join(', ')]);
  const count = (action: string): number => rows.filter((row) => row.action === action).length;
  const sum = `${count('created')} created, ${count('updated')} updated, ${count('unchanged')} unchanged`;
  const kept =
    credentials.length === 0 ? '' : `\n${credentials.length} credentials in ${flags.credentialsOut ?? ''}`;
  const waits =
    waiting.length === 0
      ? ''
      : `\nwaiting for a manager to publish (--approver-client): ${waiting.join(', ')}`;
  const dry = flags.dryRun === true ? ' (dry run: nothing was done)' : '';
  return `${table(['what', 'which', 'action', 'steps'], cells)}\n\n${sum}${dry}${kept}${waits}`;
}

async function apply(io: Io, flags: ApplyFlags): Promise<void> {
  const tree = loadTree(flags.file, io.env);
  const api = httpApi(clientOf(flags, io.env));
  const second = approverOf(flags, io.env);
  const approver = second === null ? undefined : httpApi(second);
  const { credentialsOut } = flags;
  const keeping =
    credentialsOut === undefined
      ? { mayMakeCredentials: false }
      : { onCredential: credentialFile(credentialsOut) };
  const { dryRun = false, refreshCredentials = false } = flags;
  const { url } = clientOf(flags, io.env);
  const actAs = actorsOf(url, flags.actAs ?? credentialsOut);
  const options = { dryRun, refreshCredentials, actAs, ...keeping };
  io.out(report(await applyTree({ api, approver, tree }, options), flags));
}

async function exportTo(io: Io, flags: ExportFlags): Promise<void> {
  const files = await exportTree(httpApi(clientOf(flags, io.env)));
  writeFiles(flags.out, files, flags.force === true);
  const names = Object.keys(files);
  io.out(
    flags.json === true ? json({ folder: flags.out, files: names }) : `${names.length} files in ${flags.out}`,
  );
}

/** `lgsp apply` and `lgsp export`: a province as files, there and back. */
export function addFilesCommands(program: Command, io: Io): void {
  withApprover(withConnection(program.command('apply')))
    .description('bring a running gateway to what a folder says')
    .requiredOption('-f, --file <folder>', 'agencies.yaml, systems.yaml, services/, …')
    .option('--dry-run', 'say what would be done, and do none of it')
    .option('--refresh-credentials', 'send the credentials of every service again')
    .option(
      '--act-as <file>',
      'credentials of the clients whose own steps are taken; default: --credentials-out',
    )
    .option('--credentials-out <file>', 'where new secrets and keys are kept (mode 0600)')
    .option('--json', 'for programs')
    .action((flags: ApplyFlags) => apply(io, flags));
  withConnection(program.command('export'))
    .description('write what a running gateway holds, sharing included, as files for apply; no secrets')
    .requiredOption('-o, --out <folder>', 'an empty folder')
    .option('--force', 'write into a folder that is not empty')
    .option('--json', 'for programs')
    .action((flags: ExportFlags) => exportTo(io, flags));
}
