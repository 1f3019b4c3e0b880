import { constants } from 'node:fs';
import { askNodeSteps } from '../../linux/ask-node.ts';
import { AT, O } from '../../linux/path-flags.ts';
import { CLONE } from '../../linux/process-flags.ts';
import type { Step } from '../../linux/program.ts';
import { RECORD } from '../../linux/records.ts';

/**
 * A network namespace that another program connects, which Node starts meanwhile. Before the first fork: that makes both halves
 * undumpable, and whoever shall enter the namespace has to find it through /proc.
 */
export function privateNetworkSteps(): Step[] {
  return [
    { call: 'unshare', args: [CLONE.NEWNET], what: 'create a network namespace' },
    ...noAddressDetectionSteps(),
    ...askNodeSteps(RECORD.networkWanted, 'connect the container to a network'),
  ];
}

/**
 * Nobody else is on that link, so that nobody has to be asked whether an address is free: that takes one to two seconds, in which the
 * published ports would answer over IPv4 only. Without IPv6, or with a /proc that is not ours to write to, nothing depends on it.
 */
function noAddressDetectionSteps(): Step[] {
  const path = '/proc/sys/net/ipv6/conf/default/accept_dad';
  const [what, save, ignore] = ['let IPv6 addresses be used at once', 'accept_dad', 'all'] as const;
  return [
    { call: 'openat', args: [AT.FDCWD, path, constants.O_WRONLY | O.CLOEXEC], save, ignore, what },
    { call: 'write', args: [{ result: save }, '0', 1], ignore, what },
    { call: 'close', args: [{ result: save }], ignore, what },
  ];
}
