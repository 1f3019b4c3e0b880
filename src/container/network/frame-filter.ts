import { VERDICT } from '../../linux/egress-filter.ts';
import { createBpfAssembler } from '../../linux/seccomp/bpf-assembler.ts';
import type { BpfAssembler, Label } from '../../linux/seccomp/bpf-assembler.ts';

/**
 * Drops what would be the host's own business at the other end, where a program connects to whatever address a frame has:
 * - its loopback, in all spellings. A socket that is bound to the interface sends to 127.0.0.1 there, whatever the routes say;
 * - the metadata service of a cloud, whose guard against containers (a limit of one hop) counts no hops of a program, and with it
 *   all addresses of one link, which no router passes on.
 */
export function frameFilter(): Buffer {
  const bpf = createBpfAssembler();
  const [drop, pass] = [bpf.return(VERDICT.drop), bpf.return(VERDICT.pass)];
  const ends = { drop, pass };
  const ipv6 = ipv6Checks(bpf, ends);
  const ipv4 = ipv4Checks(bpf, ends);
  // The type is the upper half of the word; what is neither is not passed on at the other end.
  const isIpv6 = bpf.jump('equal', ETHERTYPE.IPV6, { yes: ipv6, no: pass });
  const isIpv4 = bpf.jump('equal', ETHERTYPE.IPV4, { yes: ipv4, no: isIpv6 });
  bpf.load(OFFSET.type, bpf.and(0xffff0000, isIpv4));
  return bpf.bytes();
}

const ETHERTYPE = { IPV4: 0x0800_0000, IPV6: 0x86dd_0000 } as const;

/** In the frame, in bytes: of its type, and of the address that it is for. */
const OFFSET = { type: 12, ipv4: 30, ipv6: 38 } as const;

interface Ends {
  drop: Label;
  pass: Label;
}

function ipv4Checks(bpf: BpfAssembler, { drop, pass }: Ends): Label {
  const linkLocal = bpf.jump('equal', 0xa9fe_0000, { yes: drop, no: pass }); // 169.254.0.0/16
  const upperHalf = bpf.load(OFFSET.ipv4, bpf.and(0xffff_0000, linkLocal));
  const zero = bpf.jump('equal', 0, { yes: drop, no: upperHalf }); // 0.0.0.0/8 is this host
  const loopback = bpf.jump('equal', 0x7f00_0000, { yes: drop, no: zero }); // 127.0.0.0/8
  return bpf.load(OFFSET.ipv4, bpf.and(0xff00_0000, loopback));
}

/** ::/64 has the loopback, and IPv4 addresses in IPv6's clothes; fd00:ec2::254 is a metadata service. */
function ipv6Checks(bpf: BpfAssembler, { drop, pass }: Ends): Label {
  const word = (index: number, value: number, targets: { yes: Label; no: Label }): Label =>
    bpf.load(OFFSET.ipv6 + index * 4, bpf.jump('equal', value, targets));
  const isMetadata = word(1, 0, {
    yes: word(2, 0, { yes: word(3, 0x254, { yes: drop, no: pass }), no: pass }),
    no: pass,
  });
  const metadata = word(0, 0xfd00_0ec2, { yes: isMetadata, no: pass });
  return word(0, 0, { yes: word(1, 0, { yes: drop, no: pass }), no: metadata });
}
