import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { filesAmong, redirectFiles } from '../../src/container/redirect-files.ts';
import type { PipePlace } from '../../src/container/copy-files.ts';
import { openPseudoTerminal } from '../../src/linux/pseudo-terminal.ts';

let folder: string;
let place: PipePlace;
let opened: number[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mydocker-redirect-'));
  place = { runnerFolder: join(folder, 'runner') };
  mkdirSync(place.runnerFolder, { mode: 0o700 });
  opened = [];
});
afterEach(() => {
  for (const descriptor of opened) closeSync(descriptor);
  rmSync(folder, { recursive: true });
});

function open(path: string, flags: string): number {
  const descriptor = openSync(resolve(folder, path), flags);
  opened.push(descriptor);
  return descriptor;
}

/** Those that this process has open. */
function pipes(): string[] {
  const links = readdirSync('/proc/self/fd').map((name) => linkOf(`/proc/self/fd/${name}`));
  return links.filter((link) => link.startsWith('pipe:'));
}

/** The descriptor of the listing itself is gone by then. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

describe('filesAmong()', () => {
  it('finds files and devices, and each once that is both stdout and stderr', () => {
    const [input, output, again, other] = [open('a', 'a+'), open('b', 'w'), open('b', 'a'), open('/dev/full', 'w')];
    expect(filesAmong([input, output, again])).toEqual([
      { ours: input, descriptors: [0] },
      { ours: output, descriptors: [1, 2] },
    ]);
    expect(filesAmong(['ignore', other, output])).toEqual([
      { ours: other, descriptors: [1] },
      { ours: output, descriptors: [2] },
    ]);
  });

  it('takes stdin for another file than stdout, even if it is the same', () => {
    const both = open('a', 'a+');
    expect(filesAmong([both, both, 'ignore'])).toHaveLength(2);
  });
});

describe('redirectFiles()', () => {
  it('hands on pipes, sockets, terminals and /dev/null as they are', async () => {
    const terminal = openPseudoTerminal();
    try {
      const socket = spawn('sleep', ['0'], { stdio: 'pipe' }); // pipes of Node's are sockets
      const descriptor = (socket.stdin as unknown as { _handle: { fd: number } })._handle.fd;
      const stdio = ['ignore', open('/dev/null', 'r+'), terminal.master, descriptor, 'pipe'] as const;
      expect((await redirectFiles(stdio, place)).stdio).toBe(stdio);
    } finally {
      terminal.close();
    }
  });

  /** Runs a shell script as the command. */
  async function run(stdio: Parameters<typeof redirectFiles>[0], script: string, mayOutlive = false): Promise<void> {
    const redirected = await redirectFiles(stdio, place);
    const child = spawn('sh', ['-c', script], { stdio: [...redirected.stdio] });
    await redirected.copy({ exited: once(child, 'exit'), mayOutlive });
  }

  it('copies through pipes that can be opened by their path', async () => {
    writeFileSync(join(folder, 'in'), 'one\ntwo\n');
    const [input, output] = [open('in', 'r+'), open('out', 'a+')];
    readSync(input, Buffer.alloc(4));
    const script =
      'cat; for i in 1 2; do echo out $i; echo err $i >&2; done; echo again >/dev/stdout; echo x >/dev/stdin';
    await run([input, output, output], script);
    expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('two\nout 1\nerr 1\nout 2\nerr 2\nagain\n');
    expect(readFileSync(join(folder, 'in'), 'utf8')).toBe('one\ntwo\n');
  });

  it('says which stream could not be read or written, and ends the other ones well', async () => {
    const [full, errors] = [open('/dev/full', 'w'), open('err', 'w')];
    const script = 'echo x; echo late >&2';
    await expect(run(['ignore', full, errors], script)).rejects.toMatchObject({
      code: 'ERR_NO_SPACE',
      message: 'Cannot write "standard output": no space is left on the file system',
    });
    expect(readFileSync(join(folder, 'err'), 'utf8')).toBe('late\n');
    await expect(run(['ignore', 'ignore', full], 'echo x >&2')).rejects.toThrow('Cannot write "standard error"');
    await expect(run([open('out', 'w'), 'ignore', 'ignore'], 'cat')).rejects.toThrow('Cannot read "standard input"');
  });

  it('waits no longer than a moment for what the command leaves behind, where anything may be left', async () => {
    const script = 'sleep 1000 & echo $!';
    await run(['ignore', open('out', 'w'), 'ignore'], script, true);
    process.kill(Number(readFileSync(join(folder, 'out'), 'utf8')));
  });

  it('closes what is not used after all', async () => {
    const before = pipes();
    const redirected = await redirectFiles(['ignore', open('out', 'w'), 'ignore'], place);
    expect(pipes()).toHaveLength(before.length + 2);
    redirected.close();
    expect(pipes()).toEqual(before);
  });
});
