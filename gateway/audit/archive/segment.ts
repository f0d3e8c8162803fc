import { z } from 'zod';
import type { ProofNode } from '../evidence/format.js';
import { LEAF_BYTES } from '../leaf.js';
import { RECORD_CLASSES, type RecordClass } from './classes.js';

/** A sealed part of the log, in a few files that prove themselves. `docs/log.md` has the format. */
export const SEGMENT_FORMAT = 'lgsp-log-segment';
export const SEGMENT_VERSION = 1;

/** Records of one gzip member: what reading a single record unpacks. */
export const BLOCK_RECORDS = 1024;
/** Records of a segment, at most: 1,024 tiles. */
export const SEGMENT_RECORDS = 262_144;
/** A descriptor is larger by far only when somebody made it so. */
export const MOST_DESCRIPTOR_BYTES = 8 * 1_048_576;

const place = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** What files of segments are called: nothing that leads out of their folder. */
const FILE_NAME = /^log-\d{12}-\d{12}\.[a-z0-9.]{1,40}$/;
export const isSegmentFile = (name: string): boolean => FILE_NAME.test(name);

/** What a line adds to the longest leaf. */
export const LINE_BYTES = LEAF_BYTES + 64;

const fileName = z.string().regex(FILE_NAME);
const time = z.iso.datetime();

const block = z.strictObject({
  /** Where the gzip member begins in the file, and how many bytes it has. */
  offset: place,
  bytes: place.max(BLOCK_RECORDS * LINE_BYTES),
  /** Indexes of its first and last record. */
  first: place,
  last: place,
  records: place.max(BLOCK_RECORDS),
  /** Smallest and largest id in it: it holds no id outside of these. */
  fromId: z.string(),
  toId: z.string(),
});

const file = z.strictObject({
  class: z.enum(RECORD_CLASSES),
  name: fileName,
  records: place,
  bytes: place,
  sha256,
  /** Null for a file that anybody reads. */
  encryption: z.enum(['age']).nullable(),
  /** Gzip members in order; of an encrypted file, those of what is inside. */
  blocks: z.array(block),
});

type Literals = [z.ZodLiteral<'calls'>, z.ZodLiteral<'logins'>, z.ZodLiteral<'acts'>];

const segment = z.strictObject({
  format: z.literal(SEGMENT_FORMAT),
  version: z.literal(SEGMENT_VERSION),
  origin: z.string(),
  from: place,
  to: place,
  firstReceived: time,
  lastReceived: time,
  sealed: time,
  /** C2SP signed note of a head that covers the segment. */
  checkpoint: z.string(),
  /** With the leaves' hashes, these make the root that the checkpoint signs. */
  proof: z.array(z.strictObject({ from: place, to: place, hash: z.string() })),
  /** Leads from the first key of the log to the one that signed. */
  handOvers: z.array(z.strictObject({ from: z.string(), to: z.string(), note: z.string() })),
  classes: z.tuple(RECORD_CLASSES.map((one) => z.literal(one)) as Literals),
  /** Of every record from `from` to `to`: a byte for its class, by its place in `classes`, and its RFC 6962 leaf hash. */
  leaves: z.strictObject({ name: fileName, bytes: place, sha256 }),
  files: z.array(file).max(RECORD_CLASSES.length),
});

export type SegmentBlock = Readonly<z.infer<typeof block>>;
export type SegmentFile = Readonly<z.infer<typeof file>>;
export type Segment = Readonly<z.infer<typeof segment>>;

/** A segment as it came to be sealed. */
export interface SealedSegment {
  readonly segment: Segment;
  /** Of the descriptor: it names the digests of all other files. */
  readonly sha256: string;
}

/** The name of its descriptor. */
export function segmentFileOf({ leaves }: Pick<Segment, 'leaves'>): string {
  return leaves.name.replace(/\.leaves$/, '.json');
}

/** @returns null for what is no descriptor of a segment */
export function parseSegment(text: string): Segment | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return segment.safeParse(value).data ?? null;
}

export const formatSegment = (value: Segment): string => `${JSON.stringify(value, null, 1)}\n`;

const twelve = (n: number): string => String(n).padStart(12, '0');

/** The files of a segment, by what is inside. */
export function segmentNames(from: number, to: number) {
  const stem = `log-${twelve(from)}-${twelve(to)}`;
  return {
    descriptor: `${stem}.json`,
    leaves: `${stem}.leaves`,
    records: (wanted: RecordClass, encrypted: boolean): string =>
      `${stem}.${wanted}.jsonl.gz${encrypted ? '.age' : ''}`,
  };
}

export const proofEntry = ({ from, to, hash }: ProofNode): Segment['proof'][number] => ({
  from,
  to,
  hash: hash.toString('base64'),
});

/** A line of a file of records: JSON, with the leaf in it to the letter. */
export const segmentLine = (index: number, leaf: string): string => `{"index":${index},"record":${leaf}}\n`;

const LINE = /^\{"index":(0|[1-9][0-9]{0,15}),"record":(.*)\}$/s;

/** @returns null for a line that is not of this form */
export function parseSegmentLine(line: string): { readonly index: number; readonly leaf: string } | null {
  const [, index, leaf] = LINE.exec(line) ?? [];
  return index === undefined || leaf === undefined ? null : { index: Number(index), leaf };
}
