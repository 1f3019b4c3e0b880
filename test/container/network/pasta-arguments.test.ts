import { describe, expect, it } from 'vitest';

import { pastaArguments } from '../../../src/container/network/pasta-arguments.ts';
import type { PastaRequest } from '../../../src/container/network/pasta-arguments.ts';
import { privateAddresses } from '../../../src/container/network/private-addresses.ts';
import type { PublishedPort } from '../../../src/container/network/published-port.ts';
import { publishRequest, slirp4netnsArguments } from '../../../src/container/network/slirp4netns-arguments.ts';

const REQUEST: PastaRequest = {
  addresses: privateAddresses({ allIpv4: [], ipv6: '2001:db8::1' }),
  ports: [],
  forwarders: [],
  isConnected: true,
  pid: 7,
};

const published = (words: string): PublishedPort => {
  const [protocol, address = '', hostPort, containerPort] = words.split(' ');
  return { protocol: protocol as 'tcp', address, hostPort: Number(hostPort), containerPort: Number(containerPort) };
};

function portsOf(...ports: string[]): string[] {
  const words = pastaArguments({ ...REQUEST, ports: ports.map(published) });
  return words.filter((word) => /^--(?:tcp|udp)-ports/.test(word));
}

describe('pastaArguments()', () => {
  it("keeps the host's services away: nothing is forwarded, nothing mapped, and no name server told", () => {
    expect(pastaArguments(REQUEST)).toEqual([
      '--foreground',
      '--quiet',
      '--config-net',
      '--ns-ifname=eth0',
      '--no-map-gw',
      '--address=10.0.2.100',
      '--netmask=24',
      '--gateway=10.0.2.2',
      '--address=fd9e:3c51:7b02::100',
      '--gateway=fd9e:3c51:7b02::2',
      '--dns=none',
      '--tcp-ports=none',
      '--udp-ports=none',
      '--tcp-ns=none',
      '--udp-ns=none',
      '--pid=/proc/self/fd/1',
      '7',
    ]);
  });

  it.for([
    [['tcp  8080 80'], ['--tcp-ports=8080:80', '--udp-ports=none']],
    [['udp 127.0.0.1 53 5353'], ['--tcp-ports=none', '--udp-ports=127.0.0.1/53:5353']],
    [['tcp ::1 80 80'], ['--tcp-ports=::1/80:80', '--udp-ports=none']],
    [
      ['tcp  80 80', 'tcp  81 81', 'tcp  82 82', 'tcp  83 90'],
      ['--tcp-ports=80-82:80-82', '--tcp-ports=83:90', '--udp-ports=none'],
    ],
    [
      ['tcp  80 80', 'udp  81 81'],
      ['--tcp-ports=80:80', '--udp-ports=81:81'],
    ],
    [
      ['tcp 127.0.0.1 80 80', 'tcp ::1 81 81'],
      ['--tcp-ports=127.0.0.1/80:80', '--tcp-ports=::1/81:81', '--udp-ports=none'],
    ],
  ] as const)('publishes %j', ([ports, expected]) => {
    expect(portsOf(...ports)).toEqual(expected);
  });

  it('needs few words for many ports', () => {
    const ports = Array.from({ length: 60_000 }, (_, index) => `tcp  ${index + 1} ${index + 1}`);
    expect(portsOf(...ports)).toEqual(['--tcp-ports=1-60000:1-60000', '--udp-ports=none']);
  });

  it('takes a namespace at its standard input, forwards names, and does without IPv6 and without a network', () => {
    const addresses = privateAddresses({ allIpv4: ['10.0.2.15'], ipv6: undefined });
    const forwarders = ['10.0.3.3'];
    const words = pastaArguments({ ...REQUEST, addresses, forwarders, isConnected: false, pid: undefined });
    expect(words).toEqual(
      expect.arrayContaining(['--address=10.0.3.100', '--ipv4-only', '--dns-forward=10.0.3.3', '--interface=lo']),
    );
    expect(words).not.toContain('--dns=none');
    expect(words.slice(-2)).toEqual(['--netns=/proc/self/fd/0', '--no-netns-quit']);
  });
});

describe('slirp4netnsArguments()', () => {
  const request = { addresses: REQUEST.addresses, ports: [], forwarders: [], pid: 7 };

  it("keeps the host's loopback away, and stays in its sandbox", () => {
    expect(slirp4netnsArguments(request)).toEqual([
      '--configure',
      '--mtu=65520',
      '--cidr=10.0.2.0/24',
      '--disable-host-loopback',
      '--disable-dns',
      '--enable-sandbox',
      '--enable-seccomp',
      '--ready-fd=3',
      '7',
      'eth0',
    ]);
  });

  it('forwards names and publishes ports only where it has to', () => {
    const words = slirp4netnsArguments({ ...request, forwarders: ['10.0.2.3'], ports: [published('tcp  80 80')] });
    expect(words).toContain('--api-socket=network');
    expect(words).not.toContain('--disable-dns');
    expect(JSON.parse(publishRequest(published('udp  8080 80')))).toEqual({
      execute: 'add_hostfwd',
      arguments: { proto: 'udp', host_addr: '0.0.0.0', host_port: 8080, guest_port: 80 },
    });
  });
});
