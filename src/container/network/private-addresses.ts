import type { HostAddresses } from './host-addresses.ts';

/** Who is who in a network of a container's own. */
export interface PrivateAddresses {
  ipv4: FamilyAddresses;
  /** Only where the host has IPv6. */
  ipv6: FamilyAddresses | undefined;
}

export interface FamilyAddresses {
  container: string;
  gateway: string;
  /** Where the host's name servers answer. */
  forwarder: string;
}

/**
 * Never the host's own addresses, which pasta would hand out by default: the container could not tell the host from itself, and
 * would know who the host is. The subnet is slirp4netns's, or one beside it where the host is in that one itself: in a virtual
 * machine, or in another container.
 */
export function privateAddresses({ allIpv4, ipv6 }: Pick<HostAddresses, 'allIpv4' | 'ipv6'>): PrivateAddresses {
  const third =
    SUBNETS.find((number) => !allIpv4.some((address) => address.startsWith(`10.0.${number}.`))) ?? SUBNETS[0];
  const of = (prefix: string): FamilyAddresses => ({
    container: `${prefix}100`,
    gateway: `${prefix}2`,
    forwarder: `${prefix}3`,
  });
  return { ipv4: of(`10.0.${third}.`), ipv6: ipv6 === undefined ? undefined : of(IPV6_PREFIX) };
}

/** 10.0.N.0/24 */
const SUBNETS = [2, 3, 4, 5, 6, 7] as const;

/** A /64 with a random global ID, as RFC 4193 wants it. */
const IPV6_PREFIX = 'fd9e:3c51:7b02::';
