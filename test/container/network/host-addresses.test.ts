import { describe, expect, it } from 'vitest';

import { defaultInterface, defaultInterface6 } from '../../../src/container/network/host-addresses.ts';
import { deviceNumber } from '../../../src/container/network/filter-frames.ts';
import { privateAddresses } from '../../../src/container/network/private-addresses.ts';

const ROUTES = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
`;
const ZERO = '0'.repeat(32);
const ROUTES6 = `${'fd'.padEnd(32, '0')} 40 ${ZERO} 00 ${ZERO} 00000100 00000001 00000000 00000001     eth1
${ZERO} 00 ${ZERO} 00 ${ZERO} ffffffff 00000001 00000000 00200200       lo
${ZERO} 00 ${ZERO} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
`;

describe('defaultInterface()', () => {
  it('finds the way to everywhere else', () => {
    expect([defaultInterface(ROUTES), defaultInterface6(ROUTES6)]).toEqual(['wlan0', 'eth0']);
  });

  it('is undefined where there is none', () => {
    const routes = ROUTES.split('\n').slice(0, 2).join('\n');
    const routes6 = ROUTES6.split('\n').slice(0, 2).join('\n');
    expect([routes, ''].map(defaultInterface)).toEqual([undefined, undefined]);
    expect([routes6, ''].map(defaultInterface6)).toEqual([undefined, undefined]);
  });
});

describe('privateAddresses()', () => {
  it('avoids the subnets that the host is in', () => {
    const third = (...allIpv4: string[]): string => privateAddresses({ allIpv4, ipv6: undefined }).ipv4.container;
    expect(third('192.0.2.1')).toBe('10.0.2.100');
    expect(third('10.0.2.15')).toBe('10.0.3.100');
    expect(third('10.0.2.15', '10.0.3.1')).toBe('10.0.4.100');
    expect(third('10.0.20.15')).toBe('10.0.2.100');
  });
});

describe('deviceNumber()', () => {
  it('finds an interface by its name', () => {
    const text =
      'Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n12\teth0      :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n';
    expect([deviceNumber(text, 'eth0'), deviceNumber(text, 'lo'), deviceNumber(text, 'eth')]).toEqual([
      12,
      1,
      undefined,
    ]);
  });
});
