import { hash, randomBytes, randomFillSync } from 'node:crypto';

const POOL = Buffer.allocUnsafe(4096);
let used = POOL.length;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Random bytes out of one refilled pool: a system call per id would show on the hot path. @returns where they begin */
function take(bytes: number): number {
  if (used + bytes > POOL.length) {
    randomFillSync(POOL);
    used = 0;
  }
  used += bytes;
  return used - bytes;
}

/**
 * A UUID version 7 (RFC 9562): 48 bits of milliseconds, then random bits, so that ids sort by time.
 *
 * @example uuidv7(Date.now()) // '0192f7c4-3a1b-7c2d-9e4f-0a1b2c3d4e5f'
 */
export function uuidv7(nowMs: number): string {
  const at = take(10);
  const time = Math.floor(nowMs).toString(16).padStart(12, '0');
  const byte = (i: number): number => POOL[at + i] as number;
  const hex = (value: number): string => HEX[value] as string;
  return (
    `${time.slice(0, 8)}-${time.slice(8)}-` +
    `${hex(0x70 | (byte(0) & 0x0f))}${hex(byte(1))}-` +
    `${hex(0x80 | (byte(2) & 0x3f))}${hex(byte(3))}-` +
    `${hex(byte(4))}${hex(byte(5))}${hex(byte(6))}${hex(byte(7))}${hex(byte(8))}${hex(byte(9))}`
  );
}

/** When a UUID version 7 was made, milliseconds since the epoch; null for what is none. */
export function timeOf(uuid: string): number | null {
  const [, high, low] = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-/.exec(uuid) ?? [];
  return high === undefined || low === undefined ? null : Number.parseInt(high + low, 16);
}

/** A UUID version 8 (RFC 9562) that follows from a text: whoever knows the text makes the same one. */
export function derivedUuid(text: string): string {
  const bytes = hash('sha256', text, 'buffer').subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/**
 * A W3C trace id: 32 hex digits, the first twelve of them the time, so that the index over a log of them grows at
 * its end. Names a call, opens nothing.
 */
export function newTraceId(nowMs: number): string {
  const at = take(10);
  return Math.floor(nowMs).toString(16).padStart(12, '0') + POOL.toString('hex', at, at + 10);
}

/** A secret of 256 bits, URL-safe: too long to guess, so a plain digest of it may be stored. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}
