/** Why a bundle proves nothing, or not what it says. */
export type BundleFaultKind =
  /** No bundle: no ZIP, other files than those of a bundle, larger than a bundle is, or not of its form. */
  | 'malformed'
  /** A file is not the one that the manifest names. */
  | 'digest'
  /** No key that is trusted signed the checkpoint. */
  | 'signature'
  /** Fewer or more records than the manifest says. */
  | 'count'
  /** Records that do not stand in the order of the log. */
  | 'order'
  /** A record that is not the one in the log. */
  | 'record'
  /** The proof is not one of these records. */
  | 'proof'
  /** What a witness saw is not this log. */
  | 'witness'
  /** What a witness gave is not by the key that is trusted, or not over that head. */
  | 'evidence';

export class BundleFault extends Error {
  override readonly name = 'BundleFault';
  readonly fault: BundleFaultKind;
  /** Place in the log of the first record that does not hold, where one can be named. */
  readonly index: number | undefined;

  constructor(fault: BundleFaultKind, message: string, index?: number) {
    super(message);
    this.fault = fault;
    this.index = index;
  }
}
