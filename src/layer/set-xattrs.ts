import type { LayerContext } from './layer-context.ts';
import type { Xattrs } from './xattr-policy.ts';

/**
 * Gives an open file or folder its attributes. What the file system or the kernel does not take is left out with a warning: a layer
 * is of use without. Answers those that were set.
 */
export function setXattrs(
  context: Pick<LayerContext, 'xattrs' | 'warnings'>,
  { fd, xattrs }: { fd: number; xattrs: Xattrs | undefined },
): Xattrs | undefined {
  if (xattrs === undefined) return undefined;
  const set = new Map<string, Buffer>();
  for (const [name, value] of xattrs) {
    try {
      context.xattrs.set(fd, name, value);
      set.set(name, value);
    } catch (error) {
      const code = String((error as NodeJS.ErrnoException).code);
      if (!TOLERATED.has(code)) throw error;
      context.warnings.add(`left out an extended attribute that the file system does not take (${code}):`, name);
    }
  }
  return set.size === 0 ? undefined : set;
}

/** ENOSPC is what ext4 answers to attributes that do not fit into a block; a full disk will show itself soon enough. */
const TOLERATED = new Set([
  'ENOTSUP',
  'EOPNOTSUPP',
  'EPERM',
  'EACCES',
  'EINVAL',
  'ENOSPC',
  'EDQUOT',
  'E2BIG',
  'ERANGE',
]);
