import { describe, expect, it } from 'vitest';

import { networkMode } from '../../../src/container/network/network-name.ts';
import { networkSysctls } from '../../../src/container/network/network-sysctls.ts';
import { readRunOptions } from '../../../src/container/read-run-options.ts';
import type { RunOptions } from '../../../src/container/run-options.ts';
import { DEFAULT_CAPABILITIES } from '../../../src/linux/capabilities.ts';

const modeOf = (options: RunOptions): string => networkMode(readRunOptions([], options).network);

describe('readRunOptions() of the network', () => {
  it.for([
    [{}, 'host'],
    [{ network: 'none' }, 'none'],
    [{ network: 'private' }, 'private'],
    [{ network: 'pasta' }, 'private'],
    [{ network: 'slirp4netns' }, 'private'],
    [{ publish: ['80'] }, 'private'],
    [{ publishAll: true }, 'private'],
    [{ publish: ['80'], network: 'slirp4netns' }, 'private'],
    [{ dns: ['1.1.1.1'], addHost: ['a:1.1.1.1'] }, 'host'],
  ] as const)('%j is %s, whatever is installed', ([options, mode]) => {
    expect(modeOf(options)).toBe(mode);
  });

  it.for([
    [{ network: 'none', publish: ['80'] }, 'conflicting options: port publishing and the none type network mode'],
    [{ network: 'host', publishAll: true }, 'conflicting options: port publishing and the host type network mode'],
    [{ publish: ['x'] }, 'invalid containerPort: x'],
    [{ dns: ['x'] }, 'invalid IP address: x'],
    [{ addHost: ['x'] }, 'bad format for add-host: "x"'],
  ] as const)('refuses %j', ([options, message]) => {
    expect(() => readRunOptions([], options)).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(message) as string }),
    );
  });

  it('leaves NET_RAW out of a private network, unless it is asked for', () => {
    const capabilities = (options: RunOptions): readonly string[] => readRunOptions([], options).capabilities ?? [];
    const less = DEFAULT_CAPABILITIES.filter((name) => name !== 'NET_RAW');
    expect(capabilities({ network: 'private' })).toEqual(less);
    expect(capabilities({ network: 'none' })).toEqual(DEFAULT_CAPABILITIES);
    expect(capabilities({ network: 'private', capAdd: ['net_raw'] })).toEqual([...less, 'NET_RAW']);
    expect(capabilities({ network: 'private', capAdd: ['ALL'] })).toContain('NET_RAW');
    expect(capabilities({ network: 'private', privileged: true })).toContain('NET_RAW');
  });
});

describe('networkSysctls()', () => {
  const GROUPS = [
    { inside: 0, outside: 1000, count: 1 },
    { inside: 1, outside: 100_000, count: 65_536 },
  ];
  const ALL = [{ inside: 0, outside: 0, count: 4_294_967_295 }];

  it.for([
    [{ kind: 'root' }, '0 2147483647'],
    [{ kind: 'mapped', uids: GROUPS, gids: GROUPS }, '0 65536'],
    [{ kind: 'mapped', uids: ALL, gids: ALL }, '0 2147483647'],
    [{ kind: 'single', uid: 1000, gid: 1000 }, '0 0'],
    [{ kind: 'single', uid: 1000, gid: 1000, caller: { uid: 1000, gid: 1001 } }, '1001 1001'],
  ] as const)('lets all groups of %j ping', ([ownership, value]) => {
    const settings = networkSysctls('private', ownership).map((sysctl) => [sysctl.path, sysctl.value]);
    expect(settings).toEqual([
      ['net/ipv4/ip_unprivileged_port_start', '0'],
      ['net/ipv4/ping_group_range', value],
    ]);
    expect(networkSysctls('none', ownership)).toEqual([]);
  });
});
