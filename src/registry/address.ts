import { BlockList, isIP } from 'node:net';

/**
 * How far inside an address lies. A server may refer us (redirect, token realm) to an address that is no further inside
 * than its own: what is on the Internet may not make us ask a private network, nor that the machine itself.
 * `forbidden` addresses, those of cloud metadata services and such that name no host, are never referred to.
 */
export type Reach = 'public' | 'private' | 'loopback' | 'forbidden';

const DEPTH: Readonly<Record<Reach, number>> = { public: 0, private: 1, loopback: 2, forbidden: 3 };

const LOOPBACK = blockList(['127.0.0.0/8', '::1/128']);
const PRIVATE = blockList([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10', // carrier-grade NAT, RFC 6598
  '192.0.0.0/24',
  '198.18.0.0/15', // benchmarks, RFC 2544
  'fc00::/7',
  'fec0::/10', // site-local, deprecated
  '64:ff9b:1::/48', // NAT64 of one's own network, RFC 8215
]);
const FORBIDDEN = blockList([
  '0.0.0.0/8', // "this host": reaches 127.0.0.1 on Linux
  '169.254.0.0/16', // link-local, and the metadata service of most clouds
  '100.100.100.200/32', // metadata, Alibaba
  '168.63.129.16/32', // metadata, Azure
  '192.0.0.192/32', // metadata, Oracle
  'fd00:ec2::/32', // metadata and pod identities, AWS
  'fd00:42::42/128', // metadata, Scaleway
  'fd20:ce::254/128', // metadata, Google
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  'fe80::/10',
  'ff00::/8',
]);

/** Classifies an IPv4 or IPv6 address; undefined if `address` is neither. Brackets around IPv6 may stay. */
export function reachOf(address: string): Reach | undefined {
  const plain = embeddedIpv4(withoutBrackets(address).replace(/%.*$/, '')); // the zone says nothing about the reach
  const family = isIP(plain);
  if (family === 0) return undefined;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  if (FORBIDDEN.check(plain, type)) return 'forbidden';
  if (LOOPBACK.check(plain, type)) return 'loopback';
  return PRIVATE.check(plain, type) ? 'private' : 'public';
}

/** Whether a server at `from` may refer to an address at `to`. */
export function mayRefer(from: Reach, to: Reach): boolean {
  if (to === 'forbidden') return false;
  return DEPTH[to] <= (from === 'forbidden' ? 0 : DEPTH[from]);
}

/** The outermost of the two: what is known of a host with several addresses. */
export function outermost(a: Reach, b: Reach): Reach {
  return DEPTH[a] <= DEPTH[b] ? a : b;
}

export function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** The IPv4 address inside a translated one (`::ffff:a.b.c.d`, `::ffff:0:a.b.c.d`, NAT64, 6to4); other addresses as they are. */
function embeddedIpv4(address: string): string {
  if (isIP(address) !== 6) return address;
  const groups = expandIpv6(address);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && (groups[5] === 0xffff || groups[5] === 0);
  const isTranslated = groups.slice(0, 4).every((group) => group === 0) && groups[4] === 0xffff && groups[5] === 0;
  const isNat64 = groups[0] === 0x64 && groups[1] === 0xff9b && groups.slice(2, 6).every((group) => group === 0);
  if (groups[0] === 0x2002) return dotted(groups[1], groups[2]);
  const isUnspecifiedOrLoopback = groups.slice(0, 7).every((group) => group === 0) && (groups[7] ?? 0) <= 1;
  return (isMapped || isTranslated || isNat64) && !isUnspecifiedOrLoopback ? dotted(groups[6], groups[7]) : address;
}

/** The eight groups of a valid IPv6 address. */
function expandIpv6(address: string): number[] {
  const text = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = '', tail] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].map((group) => parseInt(group, 16));
}

function dotted(high: number | undefined, low: number | undefined): string {
  const [h, l] = [high ?? 0, low ?? 0];
  return `${h >> 8}.${h & 255}.${l >> 8}.${l & 255}`;
}

function blockList(subnets: string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address = '', bits = ''] = subnet.split('/');
    // Not asked of isIP, which needs 5 ms to compile its pattern for the first time.
    list.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}
