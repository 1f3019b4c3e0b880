import type { FileTime } from '../linux/libc-files.ts';

const MAX_SECONDS = 2 ** 34 - 1; // the year 2514; ext4 ends in 2446 and clamps by itself
const EPOCH: FileTime = { seconds: 0, nanoseconds: 0 };

/** A time that file systems can keep: earlier ones become 1970, later ones the end of what fits into 34 bits. */
export function clampTime(time: FileTime): FileTime {
  if (!(time.seconds >= 0)) return EPOCH;
  return time.seconds > MAX_SECONDS ? { seconds: MAX_SECONDS, nanoseconds: 0 } : time;
}
