import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { PLAIN_USER } from '../../support/test-users.ts';
import { CALLERS } from '../support/callers.ts';
import type { Running } from '../support/cli-home.ts';
import { freePort } from '../support/free-port.ts';
import { useImageHome } from '../support/image-home.ts';
import { withOpenTun } from '../support/open-tun.ts';
import { TEST_BED_NEEDS } from '../support/test-bed.ts';

describe.each(CALLERS)('Redis in a container of $caller', requires(...TEST_BED_NEEDS, 'ordinary-users'), ({ user }) => {
  const home = useImageHome(user, 'library/programs');
  let data: string; // of the host

  beforeEach(() => {
    data = join(home.folder, 'data');
    mkdirSync(data);
    chmodSync(data, 0o777); // Redis is a user of the image's
  });
  afterEach(() => rmSync(data, { recursive: true }));

  /** Starts it with what connects `port` of the host's loopback to the port that it listens on. */
  async function start(flags: string[], listening: string[]): Promise<Running> {
    const asUser = user === PLAIN_USER ? [] : ['--user', 'redis']; // who has no subordinate ids has no user but root
    const server = ['redis-server', '--dir', '/data', '--save', '3600 1', ...listening];
    const words = ['run', '--rm', ...flags, ...asUser, '-v', `${data}:/data`, home.image, ...server];
    const running = home.start(words, withOpenTun(home));
    await running.says('Ready to accept connections');
    return running;
  }

  async function isReachedAndSaves(
    flags: string[],
    { port, listening }: { port: number; listening: string[] },
  ): Promise<void> {
    const first = await start(flags, listening);
    expect(await ask(port, 'SET key persistent')).toBe('+OK\r\n');
    expect(await ask(port, 'GET key')).toBe('$10\r\npersistent\r\n');
    first.child.kill('SIGTERM');
    expect(await first.ended).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(data, 'dump.rdb')).subarray(0, 5).toString()).toBe('REDIS');

    const second = await start(flags, listening);
    expect(await ask(port, 'GET key')).toBe('$10\r\npersistent\r\n');
    second.child.kill('SIGINT');
    expect(await second.ended).toMatchObject({ code: 0 });
  }

  it('is reached on the host’s network, saves on SIGTERM and finds it again', async () => {
    const port = await freePort();
    await isReachedAndSaves(['--network', 'host'], { port, listening: ['--bind', '127.0.0.1', '--port', `${port}`] });
  });

  it('is reached at a port that --publish publishes', requires('pasta'), async () => {
    const port = await freePort();
    const flags = ['--network', 'private', '-p', `127.0.0.1:${port}:6379`];
    await isReachedAndSaves(flags, { port, listening: ['--bind', '0.0.0.0', '--protected-mode', 'no'] });
  });
});

/** One command, in the protocol's form for people. */
async function ask(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.write(`${command}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString();
  } finally {
    socket.destroy();
  }
}
