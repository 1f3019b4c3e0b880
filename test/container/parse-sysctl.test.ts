import { describe, expect, it } from 'vitest';

import { parseSysctl } from '../../src/container/parse-sysctl.ts';

describe('parseSysctl()', () => {
  it.each([
    ['net.ipv4.ip_forward=1', 'net/ipv4/ip_forward', '1', 'network'],
    ['net.ipv4.ping_group_range=0 100', 'net/ipv4/ping_group_range', '0 100', 'network'],
    ['kernel.shmmax=', 'kernel/shmmax', '', 'ipc'],
    ['fs.mqueue.msg_max=a=b', 'fs/mqueue/msg_max', 'a=b', 'ipc'],
    ['kernel.domainname=x', 'kernel/domainname', 'x', 'uts'],
  ])('reads "%s"', (text, path, value, namespace) => {
    expect(parseSysctl(text)).toEqual({ path, value, namespace });
  });

  it.each([
    'net.ipv4.ip_forward',
    'kernel.core_pattern=|/x',
    'vm.swappiness=1',
    'kernel.shmmaxx=1',
    'net./../kernel/core_pattern=x',
    'net...kernel.core_pattern=x',
    'net.=1',
    'net=1',
    'net.ipv4.x=a\nb',
    '=1',
  ])('refuses %j, which is of the whole machine or no name', (text) => {
    expect(() => parseSysctl(text)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });
});
