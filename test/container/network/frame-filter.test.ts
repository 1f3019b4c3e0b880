import { isIPv6 } from 'node:net';

import { describe, expect, it } from 'vitest';

import { frameFilter } from '../../../src/container/network/frame-filter.ts';
import { VERDICT } from '../../../src/linux/egress-filter.ts';

/** An Ethernet frame to an address; IPv6 addresses as eight words. */
function frameTo(address: string): Buffer {
  const frame = Buffer.alloc(60, 0xff);
  frame.writeUInt16BE(isIPv6(address) ? 0x86dd : 0x0800, 12);
  if (isIPv6(address)) {
    for (const [index, word] of address.split(':').entries()) frame.writeUInt16BE(parseInt(word, 16), 38 + index * 2);
  } else frame.set(address.split('.').map(Number), 30);
  return frame;
}

/** As the kernel executes it, for the instructions that are used. */
function verdict(frame: Buffer): number {
  const program = frameFilter();
  let accumulator = 0;
  for (let at = 0; ; at += 8) {
    const [code, jt, jf, k] = [
      program.readUInt16LE(at),
      program[at + 2] ?? 0,
      program[at + 3] ?? 0,
      program.readUInt32LE(at + 4),
    ];
    if (code === 0x06) return k;
    else if (code === 0x20) accumulator = frame.readUInt32BE(k);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x15) at += (accumulator === k ? jt : jf) * 8;
    else if (code === 0x05) at += k * 8;
    else throw new Error(`Cannot execute ${code}`);
  }
}

describe('frameFilter()', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.255',
    '0.0.0.0',
    '0.1.2.3',
    '169.254.169.254',
    '169.254.0.1',
    '0:0:0:0:0:0:0:1',
    '0:0:0:0:0:0:0:0',
    '0:0:0:0:0:ffff:7f00:1',
    '0:0:0:0:0:0:7f00:1',
    'fd00:ec2:0:0:0:0:0:254',
  ])('X22 drops what is for %s', (address) => {
    expect(verdict(frameTo(address))).toBe(VERDICT.drop);
  });

  it.each([
    '126.255.255.255',
    '128.0.0.1',
    '1.0.0.0',
    '169.253.255.255',
    '169.255.0.0',
    '192.0.2.1',
    '224.0.0.1',
    '255.255.255.255',
    '2001:db8:0:0:0:0:0:1',
    'fd00:ec2:0:0:0:0:0:253',
    'fd00:ec2:1:0:0:0:0:254',
    'fe80:0:0:0:0:0:0:1',
    'ff02:0:0:0:0:0:0:1',
  ])('passes what is for %s', (address) => {
    expect(verdict(frameTo(address))).toBe(VERDICT.pass);
  });

  it('passes ARP', () => {
    const frame = frameTo('127.0.0.1');
    frame.writeUInt16BE(0x0806, 12);
    expect(verdict(frame)).toBe(VERDICT.pass);
  });
});
