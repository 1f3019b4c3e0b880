import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readRecord } from '../../src/container/container-record.ts';
import { parseHostName } from '../../src/container/network/parse-host-name.ts';
import { parsePublish } from '../../src/container/network/parse-publish.ts';
import type { PublishedPort } from '../../src/container/network/published-port.ts';
import {
  HOST_IPV4,
  HOST_IPV6,
  HOST_NETWORK_NEEDS,
  NAME_SERVER,
  NEIGHBOUR_IPV4,
  openHostNetwork,
} from '../support/host-network.ts';
import type { HostNetwork } from '../support/host-network.ts';
import { requires } from '../support/requirements.ts';
import { PLAIN_USER, SUBID_USER } from '../support/test-users.ts';
import { createBox, layBusybox } from './support/box.ts';
import type { Box, Caller, RunOptions, RunSettings } from './support/box.ts';
import { buildProbe } from './support/build-probe.ts';
import { CALLERS } from './support/callers.ts';

const USERS: Record<Caller, string | undefined> = { root: undefined, mapped: SUBID_USER, single: PLAIN_USER };
const REFUSED = 'ECONNREFUSED';

describe.each(CALLERS)('a private network as $caller', requires(...HOST_NETWORK_NEEDS, 'cc'), ({ caller, needs }) => {
  let network: HostNetwork;
  let box: Box;
  beforeAll(async () => {
    network = await openHostNetwork();
    box = createBox(caller, [layBusybox, buildProbe]);
  });
  afterAll(() => {
    box.remove();
    network.remove();
  });

  function settings(options: RunOptions, ...ports: string[]): RunSettings {
    const publish = ports.flatMap(parsePublish);
    const through = network.host(USERS[caller]);
    return { through, throughRoot: true, options: { network: 'private', publish, ...options } };
  }

  async function sh(script: string, options: RunOptions = {}): Promise<string> {
    const { stdout, stderr, failure } = await box.run(['sh', '-c', script], settings(options));
    return failure?.message ?? stdout + stderr;
  }

  it('has addresses, names, settings and rights of its own', needs, async () => {
    const hostNames = ['db:192.0.2.7', 'me:host-gateway'].map(parseHostName);
    const script = `ip -o addr show eth0; ip route; cat /etc/hosts /etc/resolv.conf; grep CapBnd /proc/self/status
      cd /proc/sys/net/ipv4; cat ip_unprivileged_port_start ping_group_range`;
    const text = await sh(script, { hostname: 'box', hostNames });
    expect(text).toMatch(/inet 10\.0\.2\.100\/24 .*\n.*inet6 fd9e:3c51:7b02::100\/64 /);
    expect(text).toMatch(/^default via 10\.0\.2\.2 dev eth0/m);
    const names = [
      `192.0.2.7\tdb\n${HOST_IPV4}\tme\n${HOST_IPV4}\thost.docker.internal`,
      '10.0.2.100\tbox\nfd9e:3c51:7b02::100\tbox\nnameserver 10.0.2.3\nCapBnd:\t00000000a80405fb\n',
    ];
    expect(text).toContain(names.join('\n'));
    expect(text).toMatch(/\n0\n0\t\d+\n$/);
  });

  it(
    "X22 reaches nothing of the host's loopback, by routes, devices or frames, and no abstract socket",
    needs,
    async () => {
      const target = await network.serve(network.host(), 'serve', 'udp', '127.0.0.1', '0');
      const sixth = await network.serve(network.host(), 'serve', 'udp', '::1', '0');
      const stream = await network.serve(network.host(), 'serve', 'tcp', '127.0.0.1', '0');
      const last = await network.serve(network.neighbour, 'serve', 'udp', NEIGHBOUR_IPV4, '0');
      const name = `mydocker-network-${process.pid}-${caller}`;
      await network.serve(network.host(), 'abstract', name);
      const script = `
      for address in 127.0.0.1 127.1.2.3 10.0.2.2 169.254.169.254; do
        /probe send $address ${target.port}; /probe send $address ${target.port} eth0
        echo probe | timeout 1 nc $address ${stream.port}
      done >/dev/null 2>&1
      /probe send ::1 ${sixth.port} eth0 >/dev/null
      /probe frame 127.0.0.1 ${target.port}; /probe connect ${name}
      /probe send ${NEIGHBOUR_IPV4} ${last.port}`;
      expect(await sh(script)).toBe(`EPERM\n${REFUSED}\nok 5\n`);
      // What came before the last message has arrived by now, if it ever does.
      await expect.poll(last.heard).toEqual([`heard probe from ${HOST_IPV4}`]);
      expect(network.ask(network.host(), 'udp', '127.0.0.1', `${target.port}`, 'mine')).toBe('mine');
      expect(network.ask(network.host(), 'udp', '::1', `${sixth.port}`, 'mine')).toBe('mine');
      await expect
        .poll(() => [...target.heard(), ...sixth.heard(), ...stream.heard()])
        .toEqual(['heard mine from 127.0.0.1', 'heard mine from ::1']);
    },
  );

  it("reaches others, the host at its own address and the host's name server", needs, async () => {
    const other = await network.serve(network.neighbour, 'serve', 'tcp', NEIGHBOUR_IPV4, '0');
    const host = await network.serve(network.host(), 'serve', 'tcp', HOST_IPV4, '0');
    await network.serve(network.host(), 'names', NAME_SERVER);
    // The pasta of 2023 does not tell a client that has said all that the other has, too: `sleep` keeps its end open.
    const text = await sh(`ask() { { echo $1; sleep 60 & } | nc $2 $3; }
      ask one ${NEIGHBOUR_IPV4} ${other.port}
      ask two host.docker.internal ${host.port}
      nslookup some.example.`);
    expect(text).toMatch(/^one\ntwo\n[^]*Name:\s+some\.example\.?\nAddress.* 192\.0\.2\.77\n/);
  });

  it('publishes ports where it is told to, and nowhere else', needs, async () => {
    const server = 'mkdir /w && echo hello >/w/index.html && httpd -h /w -p 80 && exec /probe echo 53';
    const ports = ['8080:80', '127.0.0.1:8081:80', '[::1]:8082:80', '5353:53/udp'];
    const run = box.start(['sh', '-c', server], settings({}, ...ports));
    await run.printed('ready');
    const [four, six] = [HOST_IPV4, `[${HOST_IPV6}]`];
    const outside = [`${four}:8080`, `${six}:8080`, `${four}:8081`, `${six}:8082`, `${four}:80`];
    expect(outside.map((url) => network.fetch(network.neighbour, url))).toEqual([
      'hello',
      'hello',
      REFUSED,
      REFUSED,
      REFUSED,
    ]);
    const inside = ['127.0.0.1:8080', '127.0.0.1:8081', '[::1]:8082', '127.0.0.1:8082', '[::1]:8081'];
    expect(inside.map((url) => network.fetch(network.host(), url))).toEqual([
      'hello',
      'hello',
      'hello',
      REFUSED,
      REFUSED,
    ]);
    const second = await box.run(['true'], settings({}, '8080:80'));
    expect(second.failure).toMatchObject({
      code: 'ERR_CONFLICT',
      message: 'Cannot publish port 80/tcp: Bind for 0.0.0.0:8080 failed: port is already allocated',
    });
    expect(await box.run(['true'], settings({}, '8090:80'))).toMatchObject({ exitCode: 0 });
    expect(network.ask(network.neighbour, 'udp', HOST_IPV4, '5353', 'question')).toBe('question');
    expect(await run.outcome).toMatchObject({ exitCode: 0 });
    expect(network.processes('/usr/bin/pasta')).toEqual([]);
  });

  it('publishes what the image exposes at ports of its choice, as the record says', needs, async () => {
    const script = 'mkdir /w && echo hello >/w/index.html && httpd -h /w -p 80 && echo ready && exec sleep 1000';
    const image = { exposedPorts: ['80/tcp', '81/udp', 'x', '0/tcp'] };
    const run = box.start(['sh', '-c', script], { ...settings({ publishAll: true }), image });
    await run.printed('ready');
    const { id } = await run.started;
    const ports = readRecord(box.paths.containers, id)?.ports ?? [];
    expect(ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`)).toEqual(
      ['80/tcp', '80/tcp', '81/udp', '81/udp'], // for both families
    );
    const [web] = ports as PublishedPort[];
    expect(network.fetch(network.neighbour, `${HOST_IPV4}:${web?.hostPort}`)).toBe('hello');
    run.supervisor.kill('SIGKILL');
    await run.outcome;
  });

  // A port each: a process that ends has no command line any more while its sockets are still open.
  it.each([
    ['pasta', '8083:80'],
    ['slirp4netns', '8084:80'],
  ] as const)('leaves no %s behind when the supervisor is killed', needs, async (program, port) => {
    const run = box.start(['sh', '-c', 'echo ready; sleep 100'], settings({ network: program }, port));
    await run.printed('ready');
    expect(network.processes(`/usr/bin/${program}`)).toHaveLength(1);
    run.supervisor.kill('SIGKILL');
    await run.outcome;
    await expect.poll(() => network.processes(`/usr/bin/${program}`)).toEqual([]);
  });

  it('X22 with slirp4netns publishes ports, and reaches nothing of the loopback', needs, async () => {
    const target = await network.serve(network.host(), 'serve', 'udp', '127.0.0.1', '0');
    const script = `for address in 127.0.0.1 10.0.2.2; do
        /probe send $address ${target.port}; /probe send $address ${target.port} eth0
      done >/dev/null; /probe frame 127.0.0.1 ${target.port}
      mkdir /w && echo hello >/w/index.html && httpd -h /w -p 80 && exec /probe echo 53`;
    const ports = ['8080:80', '127.0.0.1:8081:80', '5353:53/udp'];
    const run = box.start(['sh', '-c', script], settings({ network: 'slirp4netns' }, ...ports));
    await run.printed('ready');
    const urls = [`${HOST_IPV4}:8080`, `${HOST_IPV4}:8081`];
    expect(urls.map((url) => network.fetch(network.neighbour, url))).toEqual(['hello', REFUSED]);
    expect(network.fetch(network.host(), '127.0.0.1:8081')).toBe('hello');
    expect(network.ask(network.neighbour, 'udp', HOST_IPV4, '5353', 'question')).toBe('question');
    expect(await run.outcome).toMatchObject({ exitCode: 0, stdout: 'EPERM\nready\nok 8\n' });
    expect(network.ask(network.host(), 'udp', '127.0.0.1', `${target.port}`, 'mine')).toBe('mine');
    await expect.poll(target.heard).toEqual(['heard mine from 127.0.0.1']);
  });
});
