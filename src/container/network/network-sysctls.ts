import { callerInside } from '../../linux/ownership.ts';
import type { Ownership } from '../../linux/ownership.ts';
import type { Sysctl } from '../parse-sysctl.ts';
import type { NetworkMode } from '../steps/namespaces.ts';

/** As docker sets them where the network is private: no port takes a privilege, and neither does `ping`. */
export function networkSysctls(network: NetworkMode, ownership: Ownership): Sysctl[] {
  if (network !== 'private') return [];
  return [
    { path: 'net/ipv4/ip_unprivileged_port_start', value: '0', namespace: 'network' },
    { path: 'net/ipv4/ping_group_range', value: groupsOf(ownership).join(' '), namespace: 'network' },
  ];
}

const LAST_GROUP = 2_147_483_647; // kernels before 6.4 take no higher one

/** The first and the last. The kernel takes only groups that the user namespace has. */
function groupsOf(ownership: Ownership): [number, number] {
  switch (ownership.kind) {
    case 'root':
      return [0, LAST_GROUP];
    case 'mapped':
      return [0, Math.min(LAST_GROUP, Math.max(...ownership.gids.map(({ inside, count }) => inside + count - 1)))];
    case 'single': {
      const { gid } = callerInside(ownership);
      return [gid, gid];
    }
  }
}
