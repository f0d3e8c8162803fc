/** An evidence bundle: one ZIP that holds records, what proves them, and what a person reads. `docs/log.md` has the format. */
export const BUNDLE_FORMAT = 'lgsp-evidence';
export const BUNDLE_VERSION = 1;
export const BUNDLE_TYPE = 'application/zip';

export const FILES = {
  summary: 'TOM-TAT.txt',
  records: 'records.jsonl',
  proof: 'proof.jsonl',
  checkpoint: 'checkpoint',
  keys: 'keys.json',
  manifest: 'manifest.json',
} as const;

export const WITNESS_FILE = /^witnesses\/[a-z0-9][a-z0-9-]{0,99}\.json$/;
export const MOST_WITNESSES = 64;

export const witnessFile = (name: string): string => `witnesses/${name}.json`;

const MIB = 1_048_576;

/** The most bytes of a file when it is unpacked. The two large ones are read as streams, line by line. */
export function mostBytes(name: string): number {
  if (name === FILES.records || name === FILES.proof) return 64 * 1024 * MIB;
  return name === FILES.checkpoint ? MIB / 16 : 4 * MIB;
}

/** A leaf of 65,535 bytes, quoted twice. */
export const MOST_LINE_BYTES = MIB / 2;

export interface FileDigest {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** What the bundle says of itself. Nobody signs it: what it says is held against the other files. */
export interface Manifest {
  readonly format: typeof BUNDLE_FORMAT;
  readonly version: typeof BUNDLE_VERSION;
  readonly made: string;
  readonly maker: { readonly name: string; readonly agency: string };
  /** The part of the log that the maker may see. */
  readonly scope: Readonly<Record<string, unknown>>;
  readonly filters: Readonly<Record<string, unknown>>;
  /** More records met the filters than one export holds. */
  readonly cut: boolean;
  /** How many `records.jsonl` holds. */
  readonly records: number;
  readonly origin: string;
  /** Leaves of the tree that the checkpoint signs. */
  readonly size: number;
  /** Every other file. */
  readonly files: Readonly<Record<string, FileDigest>>;
}

export interface BundledRecord {
  readonly index: number;
  /** To the letter what was hashed. */
  readonly leaf: string;
}

/** The hash over leaves `from` up to but not including `to`. */
export interface ProofNode {
  readonly from: number;
  readonly to: number;
  readonly hash: Buffer;
}

/** A head of the log that somebody outside has seen. */
export interface BundledWitness {
  readonly name: string;
  readonly kind: string;
  readonly at: string;
  readonly size: number;
  /** The signed note of that size. */
  readonly checkpoint: string;
  /** RFC 6962 2.1.2, base64: between this size and the bundle's, whichever is smaller first. */
  readonly consistency: readonly string[];
  readonly form: 'text' | 'base64';
  /** What the witness gave in return. */
  readonly evidence: string;
}

export const recordLine = ({ index, leaf }: BundledRecord): string => `${JSON.stringify({ index, leaf })}\n`;

export const proofLine = ({ from, to, hash }: ProofNode): string =>
  `${JSON.stringify([from, to, hash.toString('base64')])}\n`;
