import { Refusal } from './refusal.ts';
import type { EntryType } from './tar-entry.ts';

/** Attributes that an entry gets: name (one character per byte) -> value. */
export type Xattrs = ReadonlyMap<string, Buffer>;

/** For names and values of one file together, in bytes; as much as the kernel takes for one value. */
const MAX_TOTAL = 65_536;

const CAPABILITY = 'security.capability';
/** What overlay file systems and other engines keep for themselves: from an image, it could redirect and hide. */
const RESERVED = ['user.overlay.', 'user.fuseoverlayfs.', 'user.containers.', 'user.rootlesscontainers'];

/**
 * Which attributes of an entry are applied: file capabilities on files, and `user.*` on files and folders, where alone they exist.
 * `onDropped` hears of each of the others, by name. Throws a `Refusal` if they are too large together.
 */
export function allowedXattrs(
  xattrs: ReadonlyMap<string, string> | undefined,
  type: EntryType,
  onDropped: (name: string) => void,
): Xattrs | undefined {
  if (xattrs === undefined) return undefined;
  checkTotal(xattrs);
  const allowed = new Map<string, Buffer>();
  for (const [name, text] of xattrs) {
    const value = Buffer.from(text, 'latin1');
    if (isAllowed(name, value, type)) allowed.set(name, value);
    else if (!(name.startsWith('user.') && type !== 'file' && type !== 'folder')) onDropped(name);
  }
  return allowed.size === 0 ? undefined : allowed;
}

function checkTotal(xattrs: ReadonlyMap<string, string>): void {
  let total = 0;
  for (const [name, value] of xattrs) total += name.length + value.length;
  if (total > MAX_TOTAL) throw new Refusal(`its extended attributes have more than ${MAX_TOTAL} bytes`);
}

function isAllowed(name: string, value: Buffer, type: EntryType): boolean {
  if (name === CAPABILITY) return type === 'file' && isCapability(value);
  return (type === 'file' || type === 'folder') && isOfUser(name);
}

/** Whether an attribute of this name can have come from an archive: the file system and the machine give files others. */
export function comesFromArchive(name: string): boolean {
  return name === CAPABILITY || isOfUser(name);
}

function isOfUser(name: string): boolean {
  return name.startsWith('user.') && !RESERVED.some((prefix) => name.startsWith(prefix));
}

/** struct vfs_cap_data and vfs_ns_cap_data: a length for each revision. include/uapi/linux/capability.h */
function isCapability(value: Buffer): boolean {
  if (value.length < 4) return false;
  const revision = value.readUInt8(3);
  return (
    (revision === 1 && value.length === 12) ||
    (revision === 2 && value.length === 20) ||
    (revision === 3 && value.length === 24)
  );
}
