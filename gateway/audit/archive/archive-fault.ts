/** A file of a sealed segment that cannot be read, or is not what was sealed. */
export class ArchiveFault extends Error {
  override readonly name = 'ArchiveFault';
  /** Index of the first record that is concerned. */
  readonly index: number;

  constructor(index: number, detail: string) {
    super(detail);
    this.index = index;
  }
}
