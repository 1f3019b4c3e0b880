import { Refusal } from './refusal.ts';

const SPACE = 0x20;
const MAX_INT64 = 2n ** 63n - 1n;

/**
 * A number field of a tar header: octal digits, or two's complement in base 256 if the first bit is set (GNU).
 * The result may be negative, and is rounded beyond 2^53. Throws a `Refusal` where Go's `parseNumeric` answers ErrHeader:
 * https://github.com/golang/go/blob/go1.25.0/src/archive/tar/strconv.go
 */
export function parseNumeric(block: Buffer, start: number, length: number): number {
  const first = block[start] ?? 0;
  return first & 0x80 ? parseBase256(block.subarray(start, start + length)) : parseOctal(block, start, length);
}

/** Octal digits, padded with NULs and spaces on both sides; nothing but padding is 0. Throws a `Refusal` for anything else. */
export function parseOctal(block: Buffer, start: number, length: number): number {
  let from = start;
  let to = start + length;
  while (from < to && isPadding(block[from])) from += 1;
  while (to > from && isPadding(block[to - 1])) to -= 1;
  let value = 0;
  for (let at = from; at < to; at += 1) {
    const byte = block[at] ?? 0;
    if (byte === 0) break; // what follows a NUL is not part of the text
    const digit = byte - 0x30;
    if (digit < 0 || digit > 7) throw new Refusal('a number in its header is not octal');
    value = value * 8 + digit;
  }
  return value;
}

function isPadding(byte: number | undefined): boolean {
  return byte === 0 || byte === SPACE;
}

function parseBase256(bytes: Buffer): number {
  const bits = BigInt(bytes.length * 8 - 1); // without the marker, the sign bit is the highest
  const value = BigInt.asIntN(Number(bits), BigInt(`0x${bytes.toString('hex')}`));
  if (value > MAX_INT64 || value < -MAX_INT64 - 1n) throw new Refusal('a number in its header has more than 64 bits');
  return Number(value);
}
