import { dieWithParentSteps } from '../../linux/die-with-parent.ts';
import { MS } from '../../linux/mount-flags.ts';
import { CLONE, SIGNAL } from '../../linux/process-flags.ts';
import type { Step } from '../../linux/program.ts';

/** `host` shares the caller's network, `none` has a loopback device and nothing else, `private` also an interface of its own. */
export type NetworkMode = 'host' | 'none' | 'private';

/** `host` shares the caller's. */
export type NamespaceMode = 'private' | 'host';

export interface NamespaceOptions {
  network: NetworkMode;
  pid: NamespaceMode;
  ipc: NamespaceMode;
  /** Who gets the caller's signals: with a terminal the whole process group, which is where the shell's foreground command is. */
  signals: 'process' | 'group';
}

/** The fork into new namespaces. The parent half stays on the host, as the one that waits; what follows is the container. */
export function forkSteps({ network, pid, ipc, signals }: NamespaceOptions): Step[] {
  const namespaces =
    CLONE.NEWNS |
    CLONE.NEWUTS |
    CLONE.NEWCGROUP |
    (pid === 'private' ? CLONE.NEWPID : 0) |
    (ipc === 'private' ? CLONE.NEWIPC : 0) |
    (network === 'none' ? CLONE.NEWNET : 0);
  return [
    // The waiter's own current folder must not keep a file system of the user's busy.
    { call: 'chdir', args: ['/'], what: 'change to the root folder' },
    timeNamespace,
    {
      call: 'clone',
      args: [namespaces | SIGNAL.CHLD],
      fork: { forward: signals },
      what: 'create namespaces',
    },
  ];
}

/**
 * Only unshare and clone3 can make one, and what it makes holds for the children: its offsets are set before, if at all. Left out as
 * by docker where the kernel knows none (CONFIG_TIME_NS) or may make no more: it hides nothing, as the clocks show the same.
 */
const timeNamespace: Step = {
  call: 'unshare',
  args: [CLONE.NEWTIME],
  ignore: ['EINVAL', 'ENOSPC'],
  what: 'create a time namespace',
};

/** The first things that the container's first process does. */
export function enterSteps({ network }: Pick<NamespaceOptions, 'network'>): Step[] {
  return [
    ...dieWithParentSteps(),
    // No controlling terminal of the caller's: TIOCSTI would type into the caller's shell.
    { call: 'setsid', args: [], what: 'start a session' },
    { call: 'umask', args: [0o022], what: 'set the umask' },
    { call: 'mount', args: [0, '/', 0, MS.REC | MS.PRIVATE], what: 'keep mounts private' },
    ...(network === 'host' ? [] : loopbackSteps()),
  ];
}

const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 0o2000002;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;

function loopbackSteps(): Step[] {
  const what = 'start the loopback device';
  const request = Buffer.alloc(40); // struct ifreq: 16 bytes of name, then the flags
  request.write('lo');
  request.writeUInt16LE(IFF_UP, 16);
  return [
    { call: 'socket', args: [AF_INET, SOCK_DGRAM_CLOEXEC, 0], save: 'loopback', what },
    { call: 'ioctl', args: [{ result: 'loopback' }, SIOCSIFFLAGS, request], what },
  ];
}

export function hostNameSteps(hostname: string, domainname: string | undefined): Step[] {
  const steps: Step[] = [
    { call: 'sethostname', args: [hostname, Buffer.byteLength(hostname)], what: 'set the host name' },
  ];
  if (domainname !== undefined) {
    const args = [domainname, Buffer.byteLength(domainname)];
    steps.push({ call: 'setdomainname', args, what: 'set the domain name' });
  }
  return steps;
}
