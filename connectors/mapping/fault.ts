/** A value that is not there, or not of the kind that a mapping needs. It names the place, never the value. */
export class MappingFault extends Error {
  /** RFC 6901 pointer to the value, from the root of what is mapped. */
  readonly pointer: string;
  /** The conversion or rule that did not hold. */
  readonly keyword: string;

  constructor(keyword = 'value', pointer = '') {
    super(`${keyword} does not apply at ${pointer === '' ? '/' : pointer}`);
    this.name = 'MappingFault';
    this.keyword = keyword;
    this.pointer = pointer;
  }

  of(keyword: string): MappingFault {
    return new MappingFault(keyword, this.pointer);
  }

  /** The same fault, seen from one step further out. */
  within(prefix: string): MappingFault {
    return new MappingFault(this.keyword, prefix + this.pointer);
  }
}
