import { O } from './path-flags.ts';
import type { Step } from './program.ts';

// include/uapi/linux/netlink.h, rtnetlink.h and pkt_cls.h
const AF_NETLINK = 16;
const SOCK = { RAW: 3, NONBLOCK: 0o4000 } as const;
const NETLINK_ROUTE = 0;
const RTM = { NEWQDISC: 36, NEWTFILTER: 44 } as const;
const NLM_F = { REQUEST: 0x1, CREATE: 0x400, EXCL: 0x200 } as const;
const TCA = { KIND: 1, OPTIONS: 2 } as const;
const TCA_BPF = { OPS_LEN: 4, OPS: 5, FLAGS: 8 } as const;
const BPF_ACT_DIRECT = 1; // what the program returns is what happens
const CLSACT = { handle: 0xffff0000, parent: 0xfffffff1, egress: 0xfffffff3 } as const;
const EVERY_PROTOCOL = 0x0300; // ETH_P_ALL, in the order of the network
const PRIORITY = 1;

const INSTRUCTION_SIZE = 8; // bytes
const ANSWER_SIZE = 512; // bytes, more than any answer to one message

/** What the program says of a frame: TC_ACT_OK and TC_ACT_SHOT. */
export const VERDICT = { pass: 0, drop: 2 } as const;

/**
 * Steps after which a network interface sends only the frames that a program of classic BPF passes, whoever made them.
 * https://man7.org/linux/man-pages/man8/tc-bpf.8.html
 * @param device number of the interface
 * @param program as struct sock_filter[]
 */
export function egressFilterSteps(device: number, program: Uint8Array): Step[] {
  const what = 'filter what the container sends';
  const type = SOCK.RAW | SOCK.NONBLOCK | O.CLOEXEC;
  return [
    { call: 'socket', args: [AF_NETLINK, type, NETLINK_ROUTE], save: 'netlink', what },
    ...[queueMessage(device), filterMessage(device, program)].flatMap((message): Step[] => [
      { call: 'write', args: [{ result: 'netlink' }, message, message.length], what },
      // Nobody asked for an answer, so there is one only when the kernel refuses: any answer is less than is wanted here.
      {
        call: 'read',
        args: [{ result: 'netlink' }, Buffer.alloc(ANSWER_SIZE), ANSWER_SIZE],
        atLeast: ANSWER_SIZE + 1,
        ignore: ['EAGAIN'],
        what,
      },
    ]),
  ];
}

function queueMessage(device: number): Buffer {
  const { handle, parent } = CLSACT;
  return message(RTM.NEWQDISC, { device, handle, parent, info: 0 }, [attribute(TCA.KIND, text('clsact'))]);
}

function filterMessage(device: number, program: Uint8Array): Buffer {
  const count = Buffer.alloc(2);
  count.writeUInt16LE(program.length / INSTRUCTION_SIZE);
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(BPF_ACT_DIRECT);
  const options = Buffer.concat([
    attribute(TCA_BPF.OPS_LEN, count),
    attribute(TCA_BPF.OPS, program),
    attribute(TCA_BPF.FLAGS, flags),
  ]);
  const place = { device, handle: 0, parent: CLSACT.egress, info: PRIORITY * 0x10000 + EVERY_PROTOCOL };
  return message(RTM.NEWTFILTER, place, [attribute(TCA.KIND, text('bpf')), attribute(TCA.OPTIONS, options)]);
}

/** struct nlmsghdr and struct tcmsg. */
function message(
  type: number,
  { device, handle, parent, info }: Record<'device' | 'handle' | 'parent' | 'info', number>,
  attributes: readonly Buffer[],
): Buffer {
  const header = Buffer.alloc(16 + 20);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(NLM_F.REQUEST | NLM_F.CREATE | NLM_F.EXCL, 6);
  header.writeInt32LE(device, 20);
  header.writeUInt32LE(handle, 24);
  header.writeUInt32LE(parent, 28);
  header.writeUInt32LE(info, 32);
  const whole = Buffer.concat([header, ...attributes]);
  whole.writeUInt32LE(whole.length, 0);
  return whole;
}

/** struct rtattr, padded to words. */
function attribute(type: number, content: Uint8Array): Buffer {
  const length = 4 + content.length;
  const bytes = Buffer.alloc(Math.ceil(length / 4) * 4);
  bytes.writeUInt16LE(length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(content, 4);
  return bytes;
}

function text(name: string): Buffer {
  return Buffer.from(`${name}\0`);
}
