import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { parseCapabilities } from '../../../src/container/parse-capabilities.ts';
import { SUBID_USER } from '../../support/test-users.ts';
import { callerIds } from '../support/box.ts';
import { allOf, describeProbed, UNFILTERED } from '../support/probed-containers.ts';
import { writeProbe } from '../support/build-probe.ts';

const NAMESPACES = ['mnt', 'pid', 'uts', 'ipc', 'cgroup', 'net', 'user'];

describeProbed('what a container sees of the host', (probed) => {
  const { caller, lines, answers } = probed;

  it('X01 are none of its namespaces but the network, that without one of its own, and root its users', async () => {
    const shared = async (network: 'host' | 'none'): Promise<string[]> => {
      const inside = await answers(['namespaces'], { options: { network } });
      expect(Object.keys(inside)).toEqual(expect.arrayContaining(NAMESPACES));
      return NAMESPACES.filter((name) => `${name}:${inside[name]}` === `${name}:${namespaceOf(name)}`);
    };
    const users = caller === 'root' ? ['user'] : [];
    expect(await shared('none')).toEqual(users);
    expect(await shared('host')).toEqual(['net', ...users]);
  });

  it('X04 are no sockets of the host, and nothing of its /run', async () => {
    const found = await lines(['find-sockets', '/']);
    expect(found).toEqual([expect.stringMatching(/^tried: \d{4,}$/)]);
    const places = ['/run/docker.sock', '/var/run/docker.sock', '/run/containerd/containerd.sock', '/run/user'];
    expect(await answers(['read', '/run', ...places])).toEqual(allOf(['/run', ...places], 'ENOENT'));
  });

  it('X05 is the AppArmor profile of the caller, where there is one: the engine sets none', async () => {
    const path = '/proc/self/attr/current';
    const probe = join(probed.box.folder, 'probe');
    writeProbe(probe);
    const outside = execFileSync(probe, ['read', path], { encoding: 'utf8' });
    expect((await lines(['read', path])).join()).toBe(outside.trim());
  });

  it('X06 is a mapping of users in which nobody is who he is outside', async () => {
    const maps = (await lines(['show', '/proc/self/uid_map', '/proc/self/gid_map'])).map(numbersOf);
    const [id, range] = [callerIds(caller)?.uid ?? 0, Number(firstSubordinateId())];
    const expected = {
      root: [[0, 0, 0xffffffff]],
      mapped: [
        [0, id, 1],
        [1, range, expect.any(Number)],
      ],
      single: [[0, id, 1]],
    }[caller];
    expect(maps).toEqual([...expected, ...expected]);
    const identical = maps.filter(([inside, outside]) => inside === outside);
    expect(identical).toHaveLength(caller === 'root' ? 2 : 0);
    expect(await lines(['show', '/proc/self/setgroups'])).toEqual([caller === 'single' ? 'deny' : 'allow']);
  });

  it('threat C14 X22 are its addresses and abstract sockets where the network is not its own, and neither where it is', async () => {
    const name = `mydocker-probe-${process.pid}-${caller}`;
    const [abstract, tcp] = await Promise.all([listen(`\0${name}`), listen(0)]);
    const { port } = tcp.address() as AddressInfo;
    try {
      const outside = lanAddresses().map((address) => `${address}:${port}`);
      const metadata = ['169.254.169.254:80', '100.100.100.200:80'];
      const options = { network: 'none' } as const;
      expect(await lines(['connect', name], { options })).toEqual(['ECONNREFUSED']);
      expect(await answers(['tcp', `127.0.0.1:${port}`, ...outside, ...metadata], { options })).toEqual({
        [`127.0.0.1:${port}`]: 'ECONNREFUSED', // its own
        ...allOf([...outside, ...metadata], 'ENETUNREACH'),
      });
      // The same sockets are there: it is the network that keeps them away.
      expect(await lines(['connect', name])).toEqual(['ok 0']);
      expect(await answers(['tcp', `127.0.0.1:${port}`])).toEqual({ [`127.0.0.1:${port}`]: 'ok' });
    } finally {
      abstract.close();
      tcp.close();
    }
  });

  it('X24 are none of its variables', async () => {
    const options = { environment: ['GIVEN=1'] };
    const variables = (await lines(['show', '/proc/self/environ', '/proc/1/environ'], { options }))
      .join('')
      .split('\0');
    const names = new Set(variables.map((text) => text.split('=')[0]));
    expect(names).toEqual(new Set(['PATH', 'HOSTNAME', 'GIVEN', 'HOME', '']));
  });

  it('X25 are no control groups: it is at their root, and can write to none', async () => {
    const groups = await lines(['show', '/proc/self/cgroup', '/proc/1/cgroup']);
    expect(groups.filter((line) => !line.endsWith(':/'))).toEqual([]);
    expect(await lines(['writable', '/sys/fs/cgroup'])).toEqual([expect.stringMatching(/^tried: \d+$/)]);
    const made = await answers(['make', '/sys/fs/cgroup/x', '/sys/fs/cgroup/memory/x']);
    expect(Object.values(made).filter((answer) => !/^(EROFS|ENOENT)$/.test(answer))).toEqual([]);
  });

  it('X35 are no mounts that come later, and the host sees none of its own', async () => {
    const shared = join(probed.box.folder, 'shared');
    mkdirSync(shared, { recursive: true });
    execFileSync('mount', ['--bind', shared, shared]);
    try {
      execFileSync('mount', ['--make-rshared', shared]);
      for (const name of ['late', 'inner']) mkdirSync(join(shared, name), { recursive: true, mode: 0o777 });
      const run = probed.box.start(
        ['sh', '-c', '/probe mount tmpfs:/shared/inner; echo ready; read go; ls /shared/late /proc/self/fd/0'],
        {
          stdin: 'pipe',
          options: {
            volumes: ['./shared:/shared'],
            capabilities: parseCapabilities({ add: ['SYS_ADMIN'], drop: [], privileged: false }),
            security: UNFILTERED,
          },
        },
      );
      await run.printed('ready');
      execFileSync('mount', ['-t', 'tmpfs', 'late', join(shared, 'late')]);
      execFileSync('touch', [join(shared, 'late/file')]);
      const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
      expect(mounts).toContain(join(shared, 'late'));
      for (const path of [join(shared, 'inner'), probed.box.paths.containers]) expect(mounts).not.toContain(path);
      run.supervisor.stdin?.end('go\n');
      const { stdout } = await run.outcome;
      expect(stdout).toBe('tmpfs:/shared/inner: ok\nready\n/proc/self/fd/0\n\n/shared/late:\n');
    } finally {
      execFileSync('umount', ['--recursive', shared]);
    }
  });
});

function namespaceOf(name: string): string {
  return readlinkSync(`/proc/self/ns/${name}`);
}

function numbersOf(line: string): number[] {
  return line.trim().split(/\s+/).map(Number);
}

function firstSubordinateId(): string | undefined {
  return new RegExp(`^${SUBID_USER}:(\\d+):`, 'm').exec(
    existsSync('/etc/subuid') ? readFileSync('/etc/subuid', 'utf8') : '',
  )?.[1];
}

async function listen(where: string | number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  if (typeof where === 'string') server.listen(where);
  else server.listen(where, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function lanAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  return all.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address);
}
