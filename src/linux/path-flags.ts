/** Flags of the `*at` calls: include/uapi/linux/fcntl.h. */
export const AT = {
  FDCWD: -100,
  SYMLINK_NOFOLLOW: 0x100,
  EACCESS: 0x200,
  REMOVEDIR: 0x200,
  SYMLINK_FOLLOW: 0x400,
  NO_AUTOMOUNT: 0x800,
  EMPTY_PATH: 0x1000,
  RECURSIVE: 0x8000,
} as const;

/** Open flags that Node's `fs.constants` lacks; the numbers are those of x86-64 and arm64 alike. */
export const O = { PATH: 0o10000000, CLOEXEC: 0o2000000, TMPFILE_BIT: 0o20000000 } as const;

/** How openat2(2) walks a path: include/uapi/linux/openat2.h, Linux 5.6. */
export const RESOLVE = {
  NO_XDEV: 0x1,
  NO_MAGICLINKS: 0x2,
  NO_SYMLINKS: 0x4,
  BENEATH: 0x8,
  IN_ROOT: 0x10,
} as const;

/** struct open_how in bytes (OPEN_HOW_SIZE_VER0), the size argument of openat2(2). */
export const OPEN_HOW_SIZE = 24;

/** The struct open_how of openat2(2). `mode` only with O_CREAT or O_TMPFILE: the kernel refuses it otherwise. */
export function openHow(fields: { flags: number; mode?: number; resolve?: number }): Buffer {
  const bytes = Buffer.alloc(OPEN_HOW_SIZE);
  bytes.writeBigUInt64LE(BigInt(fields.flags), 0);
  bytes.writeBigUInt64LE(BigInt(fields.mode ?? 0), 8);
  bytes.writeBigUInt64LE(BigInt(fields.resolve ?? 0), 16);
  return bytes;
}
