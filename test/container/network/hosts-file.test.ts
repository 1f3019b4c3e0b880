import { describe, expect, it } from 'vitest';

import { containerHosts } from '../../../src/container/network/hosts-file.ts';
import type { HostsSources } from '../../../src/container/network/hosts-file.ts';

const PRIVATE: HostsSources = {
  host: undefined,
  hostname: 'box',
  addresses: ['10.0.2.100', 'fd00::100'],
  gateways: ['192.0.2.2'],
  added: [],
  namesHost: true,
};

/** What stands behind the lines that every container has. */
function own(text: string): string[] {
  return text.split('\n').slice(6, -1);
}

describe('containerHosts()', () => {
  it('names the container and the host', () => {
    const text = containerHosts(PRIVATE);
    expect(text.startsWith('127.0.0.1\tlocalhost\n::1\tlocalhost ')).toBe(true);
    expect(own(text)).toEqual(['192.0.2.2\thost.docker.internal', '10.0.2.100\tbox', 'fd00::100\tbox']);
  });

  it('has what was added before that, and the name of the host only once', () => {
    const added = [
      { name: 'db', address: '192.0.2.7' },
      { name: 'host.docker.internal', address: '192.0.2.8' },
    ];
    expect(own(containerHosts({ ...PRIVATE, added })).slice(0, -2)).toEqual([
      '192.0.2.7\tdb',
      '192.0.2.8\thost.docker.internal',
    ]);
  });

  it('knows host-gateway', () => {
    const added = [{ name: 'me', address: 'host-gateway' }];
    const gateways = ['192.0.2.2', '2001:db8::2'];
    expect(own(containerHosts({ ...PRIVATE, added, gateways, namesHost: false })).slice(0, -2)).toEqual([
      '192.0.2.2\tme',
      '2001:db8::2\tme',
    ]);
    expect(() => containerHosts({ ...PRIVATE, added, gateways: [] })).toThrow(
      'unable to derive the IP value for host-gateway',
    );
  });

  it("keeps the host's lines with its network, whether they end or not", () => {
    for (const host of ['192.0.2.9\tnas', '192.0.2.9\tnas\n\n']) {
      const text = containerHosts({ ...PRIVATE, host, addresses: ['127.0.0.1'], namesHost: false });
      expect(text).toBe('192.0.2.9\tnas\n127.0.0.1\tbox\n');
    }
  });
});
