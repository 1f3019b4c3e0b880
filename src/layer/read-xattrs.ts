import type { XattrCalls } from '../linux/libc-xattr.ts';
import type { EntryType } from './tar-entry.ts';
import { allowedXattrs, type Xattrs } from './xattr-policy.ts';

/** The attributes of an open file or folder that an archive could have given it. */
export function readXattrs(calls: XattrCalls, fd: number, type: EntryType): Xattrs | undefined {
  const all = new Map<string, string>();
  for (const name of calls.list(fd)) all.set(name, calls.get(fd, name)?.toString('latin1') ?? '');
  return allowedXattrs(all, type, () => undefined);
}
