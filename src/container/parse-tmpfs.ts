import { ToolError } from '../errors.ts';
import { MOUNT_ATTR } from '../linux/mount-flags.ts';
import { printable } from '../printable.ts';
import { mountTarget } from './mount-target.ts';
import type { UserMount } from './steps/volumes.ts';

/** Flags by the words that set and clear them; a later word wins over an earlier one. */
const FLAGS: Readonly<Record<string, { set?: number; clear?: number }>> = {
  defaults: {},
  rw: { clear: MOUNT_ATTR.RDONLY },
  ro: { set: MOUNT_ATTR.RDONLY },
  suid: { clear: MOUNT_ATTR.NOSUID },
  nosuid: { set: MOUNT_ATTR.NOSUID },
  nodev: {}, // always: devices in there would be the host's
  exec: { clear: MOUNT_ATTR.NOEXEC },
  noexec: { set: MOUNT_ATTR.NOEXEC },
  noatime: { set: MOUNT_ATTR.NOATIME },
  nodiratime: { set: MOUNT_ATTR.NODIRATIME },
  relatime: { clear: MOUNT_ATTR.NOATIME },
  private: {},
  rprivate: {},
};

const SETTINGS = new Set(['size', 'nr_blocks', 'nr_inodes', 'mode', 'uid', 'gid', 'mpol', 'huge']);

/**
 * Reads one `--tmpfs`: `PATH[:OPTION,…]` with docker's options and defaults (noexec, nosuid, nodev).
 * @throws {ToolError} ERR_USAGE
 */
export function parseTmpfs(text: string): UserMount & { kind: 'tmpfs' } {
  const colon = text.indexOf(':');
  const target = mountTarget(text, colon === -1 ? text : text.slice(0, colon));
  let attributes = MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC;
  const options = new Map<string, string>();
  for (const word of colon === -1 ? [] : text.slice(colon + 1).split(',')) {
    const [key = '', ...value] = word.split('=');
    const flag = Object.hasOwn(FLAGS, word) ? FLAGS[word] : undefined;
    if (flag !== undefined) attributes = (attributes | (flag.set ?? 0)) & ~(flag.clear ?? 0);
    else if (SETTINGS.has(key) && value.join('=') !== '') options.set(key, value.join('='));
    else throw invalid(text, word);
  }
  return { kind: 'tmpfs', target, attributes, options: [...options] };
}

function invalid(text: string, word: string): ToolError {
  return new ToolError('ERR_USAGE', `Cannot mount "${printable(text)}": invalid tmpfs option "${printable(word)}"`);
}
