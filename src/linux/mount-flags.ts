/** Flags of mount(2): include/uapi/linux/mount.h. */
export const MS = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  SYNCHRONOUS: 0x10,
  REMOUNT: 0x20,
  DIRSYNC: 0x80,
  NOSYMFOLLOW: 0x100, // Linux 5.10
  NOATIME: 0x400,
  NODIRATIME: 0x800,
  BIND: 0x1000,
  MOVE: 0x2000,
  REC: 0x4000,
  SILENT: 0x8000,
  UNBINDABLE: 0x20000,
  PRIVATE: 0x40000,
  SLAVE: 0x80000,
  SHARED: 0x100000,
  RELATIME: 0x200000,
  STRICTATIME: 0x1000000,
  LAZYTIME: 0x2000000,
} as const;

/** Flags of umount2(2). */
export const UMOUNT = { FORCE: 1, DETACH: 2, EXPIRE: 4, NOFOLLOW: 8 } as const;

/** Attributes of mount_setattr(2) and fsmount(2). */
export const MOUNT_ATTR = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  ATIME: 0x70, // the mask of the next three; goes into `clear` whenever one of them is set
  RELATIME: 0x0,
  NOATIME: 0x10,
  STRICTATIME: 0x20,
  NODIRATIME: 0x80,
  IDMAP: 0x100000,
  NOSYMFOLLOW: 0x200000,
} as const;

/** open_tree(2), Linux 5.2. The AT flags `RECURSIVE`, `EMPTY_PATH`, `SYMLINK_NOFOLLOW` and `NO_AUTOMOUNT` go into the same argument. */
export const OPEN_TREE = { CLONE: 0x1, CLOEXEC: 0x80000 } as const;

/** move_mount(2), Linux 5.2. `F` is the from path, `T` the to path. */
export const MOVE_MOUNT = {
  F_SYMLINKS: 0x1,
  F_AUTOMOUNTS: 0x2,
  F_EMPTY_PATH: 0x4,
  T_SYMLINKS: 0x10,
  T_AUTOMOUNTS: 0x20,
  T_EMPTY_PATH: 0x40,
} as const;

/** fsopen(2), fspick(2), fsmount(2), Linux 5.2. */
export const FSOPEN = { CLOEXEC: 0x1 } as const;
export const FSPICK = { CLOEXEC: 0x1, SYMLINK_NOFOLLOW: 0x2, NO_AUTOMOUNT: 0x4, EMPTY_PATH: 0x8 } as const;
export const FSMOUNT = { CLOEXEC: 0x1 } as const;

/** Commands of fsconfig(2). */
export const FSCONFIG = {
  SET_FLAG: 0,
  SET_STRING: 1,
  SET_BINARY: 2,
  SET_PATH: 3,
  SET_PATH_EMPTY: 4,
  SET_FD: 5,
  CMD_CREATE: 6,
  CMD_RECONFIGURE: 7,
} as const;

/** The struct mount_attr of mount_setattr(2); pass `MOUNT_ATTR_SIZE` as its size. `propagation` is an MS flag. */
export function mountAttr(fields: { set?: number; clear?: number; propagation?: number; userns?: number }): Buffer {
  const bytes = Buffer.alloc(MOUNT_ATTR_SIZE);
  bytes.writeBigUInt64LE(BigInt(fields.set ?? 0), 0);
  bytes.writeBigUInt64LE(BigInt(fields.clear ?? 0), 8);
  bytes.writeBigUInt64LE(BigInt(fields.propagation ?? 0), 16);
  bytes.writeBigUInt64LE(BigInt(fields.userns ?? 0), 24);
  return bytes;
}

/** MOUNT_ATTR_SIZE_VER0, in bytes. */
export const MOUNT_ATTR_SIZE = 32;
