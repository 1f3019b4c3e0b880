import { describe, expect, it } from 'vitest';

import { parseDns } from '../../../src/container/network/parse-dns.ts';
import { containerResolvConf } from '../../../src/container/network/resolv-conf.ts';

const NONE = { servers: [], search: [], options: [] };
const FORWARDERS = { ipv4: '10.0.2.3', ipv6: 'fd00::3' };
const HOST = '# of the host\nnameserver 192.0.2.53\ndomain old.example\nsearch example.org  corp\noptions ndots:2\n';

describe('containerResolvConf()', () => {
  it("is the host's file, byte for byte, with the host's network", () => {
    expect(containerResolvConf(HOST, NONE, undefined)).toEqual({ text: HOST, forwarders: [] });
  });

  it.for([
    ['keeps what is in reach', HOST, NONE, 'nameserver 192.0.2.53\nsearch example.org corp\noptions ndots:2\n', []],
    ['replaces a loopback server', 'nameserver 127.0.0.53\n', NONE, 'nameserver 10.0.2.3\n', ['10.0.2.3']],
    [
      'replaces several by one',
      'nameserver 127.0.0.53\nnameserver 127.0.1.1\nnameserver 9.9.9.9\n',
      NONE,
      'nameserver 10.0.2.3\nnameserver 9.9.9.9\n',
      ['10.0.2.3'],
    ],
    ['replaces ::1', 'nameserver ::1\n', NONE, 'nameserver fd00::3\n', ['fd00::3']],
    ['replaces link-local ones', 'nameserver fe80::1%eth0\n', NONE, 'nameserver fd00::3\n', ['fd00::3']],
    ["replaces a cloud's own", 'nameserver 169.254.169.254\n', NONE, 'nameserver 10.0.2.3\n', ['10.0.2.3']],
    ['keeps IPv6 where there is some', 'nameserver 2001:db8::1\n', NONE, 'nameserver 2001:db8::1\n', []],
    ['is empty where the host has none', '', NONE, '', []],
    ['leaves out what is no address', 'nameserver evil\nnameserver\n', NONE, '', []],
    [
      'has what the user says',
      HOST,
      { servers: ['127.0.0.1', '1.1.1.1'], search: ['a.b'], options: ['rotate'] },
      'nameserver 127.0.0.1\nnameserver 1.1.1.1\nsearch a.b\noptions rotate\n',
      [],
    ],
    ['searches nowhere', HOST, { ...NONE, search: ['.'] }, 'nameserver 192.0.2.53\noptions ndots:2\n', []],
  ] as const)('in a network of its own %s', ([, host, dns, text, forwarders]) => {
    expect(containerResolvConf(host, dns, FORWARDERS)).toEqual({ text, forwarders });
  });

  it('without IPv6 has no IPv6 server', () => {
    const host = 'nameserver 2001:db8::1\nnameserver ::1\nnameserver 192.0.2.53\n';
    const only = containerResolvConf(host, NONE, { ...FORWARDERS, ipv6: undefined });
    expect(only).toEqual({ text: 'nameserver 192.0.2.53\n', forwarders: [] });
  });

  it("with the host's network changes only what the user says", () => {
    const { text } = containerResolvConf('nameserver 127.0.0.53\nsearch x\n', { ...NONE, search: ['y'] }, undefined);
    expect(text).toBe('nameserver 127.0.0.53\nsearch y\n');
  });
});

describe('parseDns()', () => {
  it.for([
    [{ servers: ['1.1.1.1 evil'] }, 'invalid IP address: 1.1.1.1 evil'],
    [{ servers: ['dns.example'] }, 'invalid IP address: dns.example'],
    [{ servers: ['fe80::1%eth0'] }, 'invalid IP address: fe80::1%eth0'],
    [{ search: ['a b'] }, 'a b is not a valid domain'],
    [{ search: ['a\nnameserver 6.6.6.6'] }, 'a\\nnameserver 6.6.6.6 is not a valid domain'],
    [{ search: [''] }, ' is not a valid domain'],
    [{ options: ['ndots:1\nx'] }, 'ndots:1\\nx is not an option of resolv.conf'],
    [{ options: ['a b'] }, 'a b is not an option of resolv.conf'],
  ] as const)('refuses %j', ([changes, reason]) => {
    expect(() => parseDns({ ...NONE, ...changes })).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: `Cannot set the name servers: ${reason}` }),
    );
  });

  it('takes what resolv.conf(5) has', () => {
    const dns = { servers: ['1.1.1.1', '::1'], search: ['.', 'a.b-c.', 'x_y'], options: ['ndots:5', 'use-vc'] };
    expect(parseDns(dns)).toEqual(dns);
  });
});
