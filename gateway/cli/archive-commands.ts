import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { ArchiveFault } from '../audit/archive/archive-fault.js';
import { RECORD_CLASSES, type RecordClass } from '../audit/archive/classes.js';
import { archiveFolder } from '../audit/archive/folder.js';
import { segmentLine } from '../audit/archive/segment.js';
import { type FileVerdict, type VerifiedSegment, verifySegment } from '../audit/archive/verify-segment.js';
import { openDatabase } from '../store/database.js';
import { type LogSegment, segmentsBetween } from '../store/log-segments.js';
import { CommandFailure } from './failure.js';
import { type Io, json, table } from './io.js';
import { loadSettings } from './settings.js';
import { trustedKeys } from './trusted-keys.js';

interface SegmentFlags {
  readonly key: readonly string[];
  readonly identity?: string;
  readonly without: readonly RecordClass[];
  readonly class?: readonly RecordClass[];
  readonly json?: boolean;
}

const VERDICTS: Readonly<Record<FileVerdict, string>> = {
  records: 'từng bản ghi đúng với nhật ký đã ký / every record is that of the log',
  digest: 'tệp mã hóa còn nguyên vẹn, chưa mở / the encrypted file is intact, and was not opened',
  absent: 'không có tệp, chỉ còn giá trị băm / no file, only the hashes are left',
};

/** Lines of an age identity file; comments begin with #. */
function identitiesIn(file: string | undefined): string[] {
  if (file === undefined) return [];
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new CommandFailure(`cannot read ${file}`, 2);
  }
  const lines = text.split('\n').map((line) => line.trim());
  const identities = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (identities.length === 0 || !identities.every((one) => one.startsWith('AGE-SECRET-KEY-')))
    throw new CommandFailure(`${file} is no file of age identities`, 2);
  return identities;
}

async function proved(
  descriptor: string,
  flags: SegmentFlags,
  onRecord?: (index: number, leaf: string, of: RecordClass) => void,
): Promise<VerifiedSegment> {
  try {
    return await verifySegment({
      descriptor,
      trusted: trustedKeys(flags.key),
      identities: identitiesIn(flags.identity),
      without: flags.without,
      ...(onRecord === undefined
        ? {}
        : { onRecord: ({ index, leaf }, file) => onRecord(index, leaf, file.class) }),
    });
  } catch (error) {
    if (!(error instanceof ArchiveFault)) throw error;
    throw new CommandFailure(
      `phần nhật ký không đúng với nhật ký đã ký / the segment does not hold, ${descriptor}, bản ghi / record ${error.index}: ${error.message}`,
    );
  }
}

function told({ segment, checkpoint, files }: VerifiedSegment): string {
  return [
    `${segment.origin}: ${segment.from}–${segment.to - 1} / ${checkpoint.size}`,
    `${segment.firstReceived} – ${segment.lastReceived}`,
    ...files.map(({ file, verdict }) => `${file.name}: ${file.records}, ${VERDICTS[verdict]}`),
  ].join('\n');
}

const facts = ({ segment, checkpoint, files }: VerifiedSegment): object => ({
  ...{ ok: true, origin: segment.origin, from: segment.from, to: segment.to, size: checkpoint.size },
  files: files.map(({ file, verdict }) => ({ name: file.name, records: file.records, verdict })),
});

async function verify(io: Io, descriptors: readonly string[], flags: SegmentFlags): Promise<void> {
  const all: VerifiedSegment[] = [];
  for (const descriptor of descriptors) {
    const found = await proved(descriptor, flags);
    if (flags.json !== true) io.out(told(found));
    all.push(found);
  }
  if (flags.json === true) io.out(json(all.map(facts)));
}

/** Nothing is written before all of it was proved. */
async function read(io: Io, descriptor: string, flags: SegmentFlags): Promise<void> {
  await proved(descriptor, flags);
  const wanted = new Set<string>(flags.class ?? RECORD_CLASSES);
  const { files } = await proved(descriptor, flags, (index, leaf, of) => {
    if (wanted.has(of)) io.out(segmentLine(index, leaf).trimEnd());
  });
  for (const { file, verdict } of files)
    if (verdict !== 'records' && wanted.has(file.class)) io.err(`${file.name}: ${VERDICTS[verdict]}`);
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function rowOf({ from_seq, to_seq, first_at, last_at, name, files }: LogSegment): string[] {
  const state = files.map((file) => {
    const now =
      file.destroyed_at !== null ? 'destroyed' : file.rows_removed_at !== null ? 'file' : 'file+table';
    return `${file.class} ${file.records} ${now}${file.encrypted ? ' encrypted' : ''}`;
  });
  return [`${from_seq}–${to_seq - 1}`, `${day(first_at)} – ${day(last_at)}`, name, state.join(', ')];
}

async function list(io: Io, flags: { readonly config?: string; readonly json?: boolean }): Promise<void> {
  const config = loadSettings(flags.config, io.env);
  const database = openDatabase(config);
  try {
    const segments = await segmentsBetween(database.knex, 0, Number.MAX_SAFE_INTEGER);
    if (flags.json === true) io.out(json({ folder: archiveFolder(config), segments }));
    else if (segments.length === 0) io.out('nothing is sealed yet');
    else io.out(table(['RECORDS', 'RECEIVED', 'SEGMENT', 'FILES'], segments.map(rowOf)));
  } finally {
    await database.close();
  }
}

function withKeys(command: Command): Command {
  return command
    .option('--key <vkey...>', 'the key of the log that you trust', [])
    .option('--identity <file>', 'age identities, for files that are encrypted')
    .addOption(
      new Option('--without <class...>', 'its file may be absent: destroyed in due time, or kept elsewhere')
        .choices(RECORD_CLASSES)
        .default([]),
    );
}

/** `lgsp audit archive …`: sealed segments of the log. All but `list` need only their files. */
export function addArchiveCommands(audit: Command, io: Io): void {
  const archive = audit.command('archive').description('sealed segments: records that left the database');
  archive
    .command('list')
    .description('which there are, and where their records are now')
    .option('--config <file>', 'settings, YAML or JSON; LGSP_* variables come on top')
    .option('--json', 'for programs')
    .action((flags: { config?: string; json?: boolean }) => list(io, flags));
  withKeys(archive.command('verify'))
    .description('hold segments against the log that was signed, offline: reads their files only')
    .argument('<descriptor...>', 'log-….json; its files lie beside it')
    .option('--json', 'for programs')
    .action((descriptors: string[], flags: SegmentFlags) => verify(io, descriptors, flags));
  withKeys(archive.command('read'))
    .description('verify a segment, then write its records, one JSON text a line')
    .argument('<descriptor>', 'log-….json; its files lie beside it')
    .addOption(new Option('--class <class...>', 'only these').choices(RECORD_CLASSES))
    .action((descriptor: string, flags: SegmentFlags) => read(io, descriptor, flags));
}
