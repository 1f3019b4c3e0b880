import { execFileSync } from 'node:child_process';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { HOST_IPV4, HOST_NETWORK_NEEDS, openHostNetwork } from '../support/host-network.ts';
import type { HostNetwork } from '../support/host-network.ts';
import { requires } from '../support/requirements.ts';
import { PLAIN_USER, SUBID_USER } from '../support/test-users.ts';
import { CALLERS } from './support/callers.ts';
import { openCliHome, type CallOptions, type CliHome } from './support/cli-home.ts';
import { ApiPusher, type PushedDescriptor } from './support/push-by-api.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

const SERVE = 'mkdir /w && echo $0 >/w/index.html && httpd -h /w -p 80 && echo ready && exec sleep 1000';

/** An image like the busybox, with EXPOSE. */
async function exposePorts(ports: object): Promise<string> {
  const { registry } = testBed();
  const pusher = new ApiPusher(registry, 'library/busybox');
  const { descriptor, content } = await pusher.readManifest('latest');
  const manifest = JSON.parse(content.toString()) as { config: PushedDescriptor };
  const document = JSON.parse((await pusher.readBlob(manifest.config.digest)).toString()) as { config: object };
  const changed = { ...document, config: { ...document.config, ExposedPorts: ports } };
  const config = await pusher.pushBlob(Buffer.from(JSON.stringify(changed)), manifest.config.mediaType);
  await pusher.pushManifest('exposed', { ...manifest, mediaType: descriptor.mediaType, config });
  return `${registry}/library/busybox:exposed`;
}

describe.each(CALLERS)(
  'mydocker run --network as $caller',
  requires(...TEST_BED_NEEDS, ...HOST_NETWORK_NEEDS, 'ordinary-users'),
  ({ user }) => {
    let network: HostNetwork;
    let home: CliHome;
    let image: string;
    let there: CallOptions;

    beforeAll(async () => {
      network = await openHostNetwork();
      home = openCliHome(user);
      there = { prefix: network.host(user), prefixAsRoot: true };
      image = `${testBed().registry}/library/busybox`;
      expect(await home.mydocker(['pull', '-q', image])).toMatchObject({ code: 0, stderr: '' });
    });

    afterAll(() => {
      home.remove();
      network.remove();
    });

    it('--publish: ports of two containers, which a neighbour reaches, and ps shows', async () => {
      const one = home.start(
        ['run', '-p', '8080:80', '-p', '127.0.0.1:8081:81/udp', image, 'sh', '-c', SERVE, 'one'],
        there,
      );
      const two = home.start(['run', '--network=bridge', '-p', '80', image, 'sh', '-c', SERVE, 'two'], there);
      await Promise.all([one.says('ready'), two.says('ready')]);
      const { stdout } = await home.mydocker(['ps', '--format', '{{.Command}} {{.Ports}}'], there);
      const [second = '', first] = stdout
        .trim()
        .split('\n')
        .sort((a) => (a.includes('8080') ? 1 : -1));
      expect(first).toMatch(/ 0\.0\.0\.0:8080->80\/tcp, \[::\]:8080->80\/tcp, 127\.0\.0\.1:8081->81\/udp$/);
      const port = / 0\.0\.0\.0:(\d+)->80\/tcp, \[::\]:\1->80\/tcp$/.exec(second)?.[1];
      const urls = [`${HOST_IPV4}:8080`, `${HOST_IPV4}:${port}`, `${HOST_IPV4}:81`];
      expect(urls.map((url) => network.fetch(network.neighbour, url))).toEqual(['one', 'two', 'ECONNREFUSED']);

      const taken = await home.mydocker(['run', '--rm', '-p', '8080:80', image, 'true'], there);
      expect(taken).toMatchObject({ code: 125, stdout: '' });
      expect(taken.stderr).toMatch(/^mydocker: .*Bind for 0\.0\.0\.0:8080 failed: port is already allocated\n/);

      for (const { child } of [one, two]) child.kill('SIGKILL');
      await Promise.all([one.ended, two.ended]);
      await expect.poll(() => network.processes('/usr/bin/pasta')).toEqual([]);
      expect((await home.mydocker(['ps', '-a', '--format', '{{.Ports}}'], there)).stdout.trim()).toBe('');
    });

    it('--publish-all: what the image exposes, at ports that are free', async () => {
      const exposed = await exposePorts({ '80/tcp': {}, '53/udp': {} });
      expect(await home.mydocker(['pull', '-q', exposed])).toMatchObject({ code: 0 });
      const one = home.start(['run', '-P', '-p', '8090:80', exposed, 'sh', '-c', SERVE, 'one'], there);
      await one.says('ready');
      const { stdout } = await home.mydocker(['ps', '--format', '{{.Ports}}'], there);
      expect(stdout).toMatch(/0\.0\.0\.0:8090->80\/tcp/);
      expect(stdout).toMatch(/0\.0\.0\.0:\d+->53\/udp/);
      expect(network.fetch(network.neighbour, `${HOST_IPV4}:8090`)).toBe('one');
      one.child.kill('SIGKILL');
      await one.ended;
    });

    it('--dns --dns-search --dns-option --add-host: in every network', async () => {
      const flags = [
        '--dns',
        '192.0.2.1',
        '--dns-search',
        'a.example',
        '--dns-option',
        'ndots:3',
        '--add-host',
        'db:192.0.2.2',
      ];
      const script = 'cat /etc/resolv.conf; grep -c "^192.0.2.2.db$" /etc/hosts';
      for (const mode of ['host', 'none', 'private']) {
        const ran = await home.mydocker(['run', '--rm', '--network', mode, ...flags, image, 'sh', '-c', script], there);
        expect(ran).toMatchObject({ code: 0, stdout: 'nameserver 192.0.2.1\nsearch a.example\noptions ndots:3\n1\n' });
      }
    });

    it.each([
      [['--network', 'none', '-p', '80'], /conflicting options: port publishing and the none type network mode/],
      [['--network', 'nope'], /network nope not found/],
      [['-p', '0.0.0.0:65536:80'], /invalid hostPort: 65536/],
      [['-p', '203.0.113.7:8080:80'], /cannot assign requested address/],
      [['--network', 'none', '--add-host', 'me:host-gateway'], /unable to derive the IP value for host-gateway/],
      [['--network', 'slirp4netns', '-p', '[::1]:8080:80'], /slirp4netns has IPv4 only\nInstall the package passt/],
    ])('refuses %j', async (flags, reason) => {
      const ran = await home.mydocker(['run', '--rm', ...flags, image, 'true'], there);
      expect(ran).toMatchObject({ code: 125, stdout: '' });
      expect(ran.stderr).toMatch(reason);
      expect((await home.mydocker(['ps', '-aq', '--filter', 'status=created'])).stdout).toBe('');
    });

    it('gives --userns keep-id a network, where the caller may be the only user there is', async () => {
      const userns = ['run', '--rm', '--userns', 'keep-id'];
      const script = 'id -u; cat /proc/sys/net/ipv4/ping_group_range';
      const ran = await home.mydocker([...userns, '--network', 'private', image, 'sh', '-c', script], there);
      const groups = { root: '0\t2147483647', [SUBID_USER]: '0\t65536' }[user ?? 'root'] ?? `${home.gid}\t${home.gid}`;
      expect(ran).toEqual({ code: 0, stdout: `${home.uid}\n${groups}\n`, stderr: '' });

      const other = await home.mydocker([...userns, '--network', 'slirp4netns', image, 'id', '-u'], there);
      if (user !== PLAIN_USER) expect(other).toEqual({ code: 0, stdout: `${home.uid}\n`, stderr: '' });
      else expect(other.stderr).toMatch(/slirp4netns wants a root of the container.*\nUse pasta/);
    });

    it('discards ports with the host’s network, and says so', async () => {
      const ran = await home.mydocker(['run', '--rm', '--network', 'host', '-p', '80', image, 'echo', 'ran'], there);
      const stderr = 'WARNING: Published ports are discarded when using host network mode\n';
      expect(ran).toEqual({ code: 0, stdout: 'ran\n', stderr });
    });

    it('says what to do about a device that is missing', async () => {
      const [program = '', ...words] = network.host();
      const prefix = [
        program,
        ...words,
        'unshare',
        '-m',
        'sh',
        '-c',
        'mount -t tmpfs tmpfs /dev/net && exec "$@"',
        'sh',
      ];
      const become = network.host(user).slice(network.host().length);
      const ran = await home.mydocker(['run', '--rm', '-p', '80', image, 'true'], {
        prefix: [...prefix, ...become],
        prefixAsRoot: true,
      });
      expect(ran).toMatchObject({ code: 125, stdout: '' });
      expect(ran.stderr).toMatch(/there is no \/dev\/net\/tun\nMake it as root with "modprobe tun"/);
    });
  },
);

// Pasta becomes nobody before it opens the device, which distributions open to everybody, and cautious people to root alone.
describe('mydocker run -p as root', requires(...TEST_BED_NEEDS, ...HOST_NETWORK_NEEDS), () => {
  it('works where /dev/net/tun is open to root alone, and leaves it so', async () => {
    const network = await openHostNetwork();
    const home = openCliHome();
    try {
      const there = { prefix: network.host() };
      const tun = (command: string): string =>
        execFileSync(network.host()[0] ?? '', [...network.host().slice(1), 'sh', '-c', command], { encoding: 'utf8' });
      tun('chmod 0600 /dev/net/tun');
      const image = `${testBed().registry}/library/busybox`;
      expect(await home.mydocker(['pull', '-q', image])).toMatchObject({ code: 0, stderr: '' });
      const run = home.start(['run', '--rm', '-p', '8080:80', image, 'sh', '-c', SERVE, 'hello'], there);
      await run.says('ready');
      expect(network.fetch(network.neighbour, `${HOST_IPV4}:8080`)).toBe('hello');
      expect(tun('stat -c "%a %U" /dev/net/tun; grep -c /dev/net /proc/self/mountinfo')).toBe('600 root\n1\n');
      run.child.kill('SIGKILL');
      await run.ended;
      await expect.poll(() => network.processes('/usr/bin/pasta')).toEqual([]);
    } finally {
      home.remove();
      network.remove();
    }
  });
});
