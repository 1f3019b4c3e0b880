import { execFileSync } from 'node:child_process';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { spawnMapped, type MappedCommand } from '../../src/linux/spawn-mapped.ts';
import { buildChildProgram } from '../fs/child-program.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { requires } from '../support/requirements.ts';
import { SUBID_USER } from '../support/test-users.ts';

let runnerFolder: string;
beforeEach(async () => {
  runnerFolder = await temporaryFolder();
});

function shellCommand(script: string): Pick<MappedCommand, 'command' | 'env' | 'ownership' | 'runnerFolder'> {
  return {
    command: ['/bin/sh', '-c', script],
    env: { PATH: '/usr/bin:/bin' },
    ownership: { kind: 'root' },
    runnerFolder,
  };
}

describe('spawnMapped()', () => {
  it('runs the command itself, with its descriptors and nothing of the environment', async () => {
    const file = await fs.open(join(runnerFolder, 'file'), 'w');
    const { child, exited } = spawnMapped({
      ...shellCommand('echo $$; echo "$HOME" >&3; ls /proc/self/fd; exit 5'),
      stdio: ['ignore', 'pipe', 'inherit', file.fd],
    });
    const output = await text(child.stdout as Readable);
    await file.close();
    expect(output).toBe(`${child.pid}\n0\n1\n2\n3\n4\n`); // 4 is the folder that is being listed
    expect(await fs.readFile(join(runnerFolder, 'file'), 'utf8')).toBe('\n');
    expect(await exited).toEqual({ code: 5, signal: null });
  });

  it('tells the signal that ended the command', async () => {
    const { exited } = spawnMapped({ ...shellCommand('kill -TERM $$'), stdio: ['ignore', 'ignore', 'inherit'] });
    expect(await exited).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('rejects when there is no such command', async () => {
    const { exited } = spawnMapped({
      ...shellCommand(''),
      command: ['/no/such'],
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await expect(exited).rejects.toMatchObject({
      code: 'ENOENT',
      message: 'Cannot start "/no/such": no such file or directory',
    });
  });

  it('ends the command when aborted', async () => {
    const abort = new AbortController();
    const { child, exited } = spawnMapped({
      ...shellCommand('echo ready; exec sleep 1000'),
      stdio: ['ignore', 'pipe', 'inherit'],
      signal: abort.signal,
    });
    child.stdout?.once('data', () => abort.abort(new Error('enough')));
    await expect(exited).rejects.toThrow('enough');
    expect(child.signalCode).toBe('SIGKILL');
  });

  it(
    'is root in a user and a mount namespace of its own for an ordinary user',
    requires('ordinary-users', 'userns'),
    async () => {
      const program = await buildChildProgram(`
      import { readHostFacts } from './src/linux/host-facts.ts';
      import { spawnMapped } from './src/linux/spawn-mapped.ts';
      const [runnerFolder, kind] = process.argv.slice(2);
      const { ownership: best, uid, gid } = readHostFacts();
      const ownership = kind === 'single' ? { kind, uid, gid } : best;
      const script = 'id -u; mount -t tmpfs none /mnt && echo mounted; head -c 5; wc -l < /proc/self/uid_map';
      const { child, exited } = spawnMapped({
        command: ['/bin/sh', '-c', script], env: { PATH: '/usr/bin:/bin' }, ownership, runnerFolder, stdio: ['pipe', 'inherit', 'inherit'],
      });
      child.stdin.end('hello');
      console.log((await exited).code);`);
      onTestFinished(async () => program.remove());
      const uid = Number(execFileSync('id', ['-u', SUBID_USER], { encoding: 'utf8' }));
      await fs.chown(runnerFolder, uid, uid);
      const single = await program.run({ uid, args: [runnerFolder, 'single'] });
      expect(single).toMatchObject({ stderr: '', stdout: '0\nmounted\nhello1\n0\n' });
      const mapped = await program.run({ uid, args: [runnerFolder, 'best'] });
      expect(mapped).toMatchObject({ stderr: '', stdout: '0\nmounted\nhello2\n0\n' });
    },
  );
});
