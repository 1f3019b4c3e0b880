import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parsePublish } from '../../../src/container/network/parse-publish.ts';
import { isToolError } from '../../../src/errors.ts';

const port = (first: number, last = first) => ({ first, last });

describe('parsePublish()', () => {
  it.for([
    ['8080:80', { protocol: 'tcp', address: '', hostPorts: port(8080), containerPort: 80 }],
    ['80', { protocol: 'tcp', address: '', hostPorts: undefined, containerPort: 80 }],
    ['0:80', { protocol: 'tcp', address: '', hostPorts: undefined, containerPort: 80 }],
    ['53:53/udp', { protocol: 'udp', address: '', hostPorts: port(53), containerPort: 53 }],
    ['53:53/UDP', { protocol: 'udp', address: '', hostPorts: port(53), containerPort: 53 }],
    ['127.0.0.1:8080:80', { protocol: 'tcp', address: '127.0.0.1', hostPorts: port(8080), containerPort: 80 }],
    ['127.0.0.1::80', { protocol: 'tcp', address: '127.0.0.1', hostPorts: undefined, containerPort: 80 }],
    ['[::1]:8080:80', { protocol: 'tcp', address: '::1', hostPorts: port(8080), containerPort: 80 }],
    ['[::]::80', { protocol: 'tcp', address: '::', hostPorts: undefined, containerPort: 80 }],
    ['8000-8010:80', { protocol: 'tcp', address: '', hostPorts: port(8000, 8010), containerPort: 80 }],
    ['65535:65535', { protocol: 'tcp', address: '', hostPorts: port(65_535), containerPort: 65_535 }],
  ] as const)('reads "%s"', ([text, expected]) => {
    expect(parsePublish(text)).toEqual([expected]);
  });

  it('gives each port of a range its own', () => {
    expect(parsePublish('127.0.0.1:8000-8002:80-82/udp')).toEqual(
      [0, 1, 2].map((index) => ({
        protocol: 'udp',
        address: '127.0.0.1',
        hostPorts: port(8000 + index),
        containerPort: 80 + index,
      })),
    );
    expect(parsePublish('80-81').map(({ hostPorts, containerPort }) => [hostPorts, containerPort])).toEqual([
      [undefined, 80],
      [undefined, 81],
    ]);
  });

  it.for([
    ['', 'invalid containerPort: '],
    [':', 'invalid containerPort: '],
    ['80:', 'invalid containerPort: '],
    [':80', 'invalid hostPort: -'],
    ['0', 'invalid containerPort: 0'],
    ['80:0', 'invalid containerPort: 0'],
    ['65536:80', 'invalid hostPort: 65536'],
    ['80:65536', 'invalid containerPort: 65536'],
    ['80:99999999999', 'invalid containerPort: 99999999999'],
    ['-1:80', 'invalid hostPort: -1'],
    ['90-80:80', 'invalid hostPort: 90-80'],
    ['0-5:80-85', 'invalid hostPort: 0-5'],
    ['8000-8010:80-81', 'invalid ranges specified for container and host Ports: 80-81 and 8000-8010'],
    ['8000:80-81', 'invalid ranges specified for container and host Ports: 80-81 and 8000'],
    ['80/sctp/tcp', 'invalid proto: sctp/tcp'],
    ['80/', 'invalid proto: '],
    ['80/icmp', 'invalid proto: icmp'],
    ['localhost:80:80', 'invalid IP address: localhost'],
    ['127.0.0.1/8:80:80', 'invalid proto: 8:80:80'],
    ['127.1:80:80', 'invalid IP address: 127.1'],
    ['010.0.0.1:80:80', 'invalid IP address: 010.0.0.1'],
    ['::1:8080:80', 'invalid IP address: ::1 without brackets'],
    ['[127.0.0.1]:8080:80', 'invalid IP address: [127.0.0.1]'],
    ['[fe80::1%eth0]:8080:80', 'invalid IP address: fe80::1%eth0'],
    ['127.0.0.1%eth0:8080:80', 'invalid IP address: 127.0.0.1%eth0'],
    ['80,~81:80', 'invalid hostPort: 80,~81'],
    ['80 :80', 'invalid hostPort: 80 '],
    ['0x50:80', 'invalid hostPort: 0x50'],
    ['80:80\n', 'invalid containerPort: 80\\n'],
  ])('refuses "%s"', ([text = '', reason = '']) => {
    expect(() => parsePublish(text)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }) as Error);
    expect(() => parsePublish(text)).toThrow(reason);
  });

  it('refuses SCTP by name', () => {
    expect(() => parsePublish('80:80/sctp')).toThrow(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED', message: expect.stringContaining('tcp and udp') as string }),
    );
  });

  it('whatever the text is, gives out ports and addresses or an error of its own', () => {
    const pieces = fc.constantFrom('80', '65535', '0', ':', '-', '/', 'udp', '[::1]', '127.0.0.1', '%', '~', ',', '\n');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((list) => list.join('')),
        ),
        (text) => {
          try {
            for (const { address, hostPorts, containerPort } of parsePublish(text)) {
              expect(address).toMatch(/^[\da-f:.]*$/i);
              for (const number of [containerPort, hostPorts?.first ?? 1, hostPorts?.last ?? 1]) {
                expect(number >= 1 && number <= 65_535).toBe(true);
              }
            }
          } catch (error) {
            expect(isToolError(error, 'ERR_USAGE', 'ERR_UNSUPPORTED')).toBe(true);
          }
        },
      ),
    );
  });
});
