/** A line of /proc/self/mountinfo: proc_pid_mountinfo(5). */
export interface MountEntry {
  /** The part of its file system that it shows. */
  root: string;
  /** Where it is mounted, absolute. */
  point: string;
  /** `rw`, `nosuid`, `noexec` and so on: of the mount. */
  flags: readonly string[];
  /** `ext4` */
  type: string;
  /** Of the file system, which may be read-only itself. */
  options: readonly string[];
}

/** In the order of the kernel: later ones cover earlier ones. Lines of another form are left out. */
export function parseMounts(mountinfo: string): MountEntry[] {
  return mountinfo.split('\n').flatMap((line): MountEntry[] => {
    const [before = '', after] = line.split(' - ');
    if (after === undefined) return [];
    const [, , , root = '', point = '', flags = ''] = before.split(' ');
    const [type = '', , options = ''] = after.split(' ');
    return [
      { root: unescape(root), point: unescape(point), flags: flags.split(','), type, options: options.split(',') },
    ];
  });
}

// Space, tab, newline and backslash stand there as \040 and so on.
function unescape(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
