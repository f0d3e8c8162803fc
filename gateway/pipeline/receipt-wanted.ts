/** An Item of RFC 9651 that is the Boolean true, whatever parameters follow it. */
const TRUE = /^ *\?1 *(?:; *[a-z*][a-z0-9_.*-]*(?:=[^;\s]+)? *)*$/;
const LONGEST = 256;

/**
 * Whether `Want-Receipt` asks for a receipt. As RFC 9651 has it, a field that cannot be read is one that was not sent.
 *
 * @example receiptWanted('?1') // true
 */
export function receiptWanted(header: string | string[] | undefined): boolean {
  return typeof header === 'string' && header.length <= LONGEST && TRUE.test(header);
}
