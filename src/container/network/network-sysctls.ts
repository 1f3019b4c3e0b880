import type { Ownership } from '../../linux/ownership.ts';
import type { Sysctl } from '../parse-sysctl.ts';
import type { NetworkMode } from '../steps/namespaces.ts';

/** As docker sets them where the network is private: no port takes a privilege, and neither does `ping`. */
export function networkSysctls(network: NetworkMode, ownership: Ownership): Sysctl[] {
  if (network !== 'private') return [];
  return [
    { path: 'net/ipv4/ip_unprivileged_port_start', value: '0', namespace: 'network' },
    { path: 'net/ipv4/ping_group_range', value: `0 ${lastGroup(ownership)}`, namespace: 'network' },
  ];
}

/** The kernel takes only groups that the user namespace has. */
function lastGroup(ownership: Ownership): number {
  switch (ownership.kind) {
    case 'root':
      return 2_147_483_647;
    case 'mapped':
      return Math.max(...ownership.gids.map(({ inside, count }) => inside + count - 1));
    case 'single':
      return 0;
  }
}
