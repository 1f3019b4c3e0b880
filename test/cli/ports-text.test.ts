import { describe, expect, it } from 'vitest';

import { portsText } from '../../src/cli/ports-text.ts';

const published = (address: string, hostPort: number, containerPort: number, protocol: 'tcp' | 'udp' = 'tcp') => ({
  address,
  hostPort,
  containerPort,
  protocol,
});
const exposed = (containerPort: number) => ({ containerPort, protocol: 'tcp' as const });

describe('portsText()', () => {
  it.for([
    [[], ''],
    [[exposed(80)], '80/tcp'],
    [[exposed(80), exposed(81), exposed(82), exposed(90)], '80-82/tcp, 90/tcp'],
    [[published('0.0.0.0', 8080, 80), published('::', 8080, 80)], '0.0.0.0:8080->80/tcp, [::]:8080->80/tcp'],
    [[published('127.0.0.1', 80, 80)], '127.0.0.1:80->80/tcp'],
    [[published('0.0.0.0', 81, 81), published('0.0.0.0', 80, 80)], '0.0.0.0:80-81->80-81/tcp'],
    [[published('0.0.0.0', 53, 53, 'udp'), published('0.0.0.0', 53, 53)], '0.0.0.0:53->53/tcp, 0.0.0.0:53->53/udp'],
    [[published('0.0.0.0', 8080, 80), exposed(443)], '443/tcp, 0.0.0.0:8080->80/tcp'],
  ] as const)('of %j is "%s"', ([ports, expected]) => {
    expect(portsText([...ports])).toBe(expected);
  });
});
