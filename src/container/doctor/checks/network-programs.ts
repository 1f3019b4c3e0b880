import { installCommand } from '../../../linux/distribution.ts';
import { printable } from '../../../printable.ts';
import { sudoFor } from '../../../linux/obstacles.ts';
import { note, ok } from '../host-finding.ts';
import type { HostFinding } from '../host-finding.ts';
import type { MachineFacts } from '../machine-facts.ts';

type Facts = Pick<MachineFacts, 'host' | 'osRelease' | 'programs' | 'tunDevice'>;

/** What a network of a container's own takes: a program that connects it, and the device that the program does it with. */
export function checkNetworkPrograms({ host: { uid }, osRelease, programs, tunDevice }: Facts): HostFinding[] {
  const meaning = 'a container can have the network of the host or none, not one of its own';
  const path = programs.pasta ?? programs.slirp4netns;
  if (path === undefined) {
    const remedy = installCommand('pasta', osRelease, uid);
    return [note('private network', 'there is neither pasta nor slirp4netns', { meaning, remedy })];
  }
  const sudo = sudoFor(uid);
  if (tunDevice === 'missing') {
    const remedy = `${sudo}modprobe tun; inside another container, start that with --device /dev/net/tun`;
    return [note('private network', 'there is no /dev/net/tun', { meaning, remedy })];
  }
  if (tunDevice === 'forbidden') {
    const found = '/dev/net/tun is not for this user';
    return [note('private network', found, { meaning, remedy: `${sudo}chmod 0666 /dev/net/tun` })];
  }
  return [ok('private network', printable(path, Infinity))];
}
