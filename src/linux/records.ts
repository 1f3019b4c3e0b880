/**
 * What the runner says to Node: records of two signed 64-bit words, little endian. `step` is the index of a step in the program
 * with `value` as its (negated) error number or the process id that a fork returned, or one of RECORD.
 */
export interface RunnerRecord {
  step: number;
  value: number;
}

export const RECORD = {
  /** Waits for its id maps; goes on when it has received a byte. Written by userNamespaceSteps. */
  idMapsWanted: -1,
  /** The program did not arrive. Written by the runner itself. */
  notLoaded: -2,
  /** Nothing to do: the writing shows whether Node still lives. Written by dieWithParentSteps. */
  alive: -3,
  /** Has a network namespace and waits until somebody serves it; goes on when it has received a byte. */
  networkWanted: -4,
} as const;

/** In bytes. */
export const RECORD_SIZE = 16;

export function encodeRecord(record: RunnerRecord): Buffer {
  const bytes = Buffer.alloc(RECORD_SIZE);
  bytes.writeBigInt64LE(BigInt(record.step), 0);
  bytes.writeBigInt64LE(BigInt(record.value), 8);
  return bytes;
}

/** The records in `bytes`, and the start of one that is not complete yet. */
export function decodeRecords(bytes: Buffer): { records: RunnerRecord[]; rest: Buffer } {
  const records: RunnerRecord[] = [];
  let at = 0;
  for (; at + RECORD_SIZE <= bytes.length; at += RECORD_SIZE) {
    records.push({ step: Number(bytes.readBigInt64LE(at)), value: Number(bytes.readBigInt64LE(at + 8)) });
  }
  return { records, rest: bytes.subarray(at) };
}
