import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { writeEtcFiles } from '../../src/container/etc-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mydocker-etc-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('writeEtcFiles()', () => {
  const HOST = {
    mode: 'host',
    addresses: ['127.0.0.1'],
    gateways: ['127.0.0.1'],
    resolvConf: 'nameserver 192.0.2.53\n',
  } as const;
  const read = (name: string): string => readFileSync(join(folder, 'etc', name), 'utf8');

  it("names the container, and with the host's network everything that the host names", () => {
    writeEtcFiles(folder, { hostname: 'box', network: HOST });
    expect(read('hostname')).toBe('box\n');
    const hosts = existsSync('/etc/hosts') ? readFileSync('/etc/hosts', 'utf8').replace(/\n*$/, '\n') : '';
    expect(read('hosts').startsWith(hosts)).toBe(true);
    expect(read('hosts').endsWith('\n127.0.0.1\tbox\n')).toBe(true);
    expect(read('resolv.conf')).toBe(HOST.resolvConf);
  });

  it('without a network names itself', () => {
    writeEtcFiles(folder, { hostname: 'box', network: { ...HOST, mode: 'none' } });
    expect(read('hosts').split('\n').slice(0, 2)).toEqual([
      '127.0.0.1\tlocalhost',
      '::1\tlocalhost ip6-localhost ip6-loopback',
    ]);
    expect(read('hosts').endsWith('\n127.0.0.1\tbox\n')).toBe(true);
  });

  it('makes them readable for every user, whatever the umask', () => {
    const before = process.umask(0o077);
    try {
      writeEtcFiles(folder, { hostname: 'box', network: HOST });
    } finally {
      process.umask(before);
    }
    for (const name of ['hostname', 'hosts', 'resolv.conf']) {
      expect(statSync(join(folder, 'etc', name)).mode & 0o777).toBe(0o644);
    }
  });
});
