import { constants } from 'node:fs';
import { MS } from '../../linux/mount-flags.ts';
import { AT } from '../../linux/path-flags.ts';
import { CLONE } from '../../linux/process-flags.ts';
import type { Program } from '../../linux/program.ts';

/** 10:200, in the 32 bits of dev_t: Documentation/admin-guide/devices.txt of the kernel. */
const TUN = (10 << 8) | 200;

/** Steps of root's that put a /dev/net/tun for everybody in the place of the host's, in sight of nobody else. */
export function tunDeviceSteps(): Program {
  const what = 'make /dev/net/tun for pasta';
  const path = '/dev/net/tun';
  return [
    { call: 'unshare', args: [CLONE.NEWNS], what },
    { call: 'mount', args: [0, '/', 0, MS.REC | MS.PRIVATE], what },
    { call: 'mount', args: ['tmpfs', '/dev/net', 'tmpfs', MS.NOSUID | MS.NOEXEC, 'mode=755,size=4k'], what },
    { call: 'mknodat', args: [AT.FDCWD, path, constants.S_IFCHR | 0o600, TUN], what },
    { call: 'fchmodat', args: [AT.FDCWD, path, 0o666], what },
  ];
}
