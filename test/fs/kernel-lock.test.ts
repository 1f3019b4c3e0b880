import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { afterAll, describe, expect, it } from 'vitest';

import { lockFile, tryFileLock, withFileLock } from '../../src/fs/kernel-lock.ts';
import { requires } from '../support/requirements.ts';
import { buildChildProgram, withMounts } from './child-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const program = await buildChildProgram(`
  import fs from 'node:fs';
  import { lockFile, tryFileLock } from './src/fs/kernel-lock.ts';
  const [mode, path, canary, rounds] = process.argv.slice(2);
  if (mode === 'hold') {
    await lockFile(path, 'exclusive');
    console.log('locked');
    await new Promise((resolve) => process.stdin.once('end', resolve).resume());
  } else if (mode === 'try') {
    for (const kind of ['shared', 'exclusive']) {
      try {
        console.log(tryFileLock(path, kind) === undefined ? 'taken' : 'free');
      } catch (error) {
        console.log(error.code, error.message);
      }
    }
  } else {
    for (let round = 0; round < Number(rounds); round++) {
      const lock = await lockFile(path, 'exclusive');
      fs.closeSync(fs.openSync(canary, 'wx')); // throws if somebody else is in here
      await new Promise(setImmediate);
      fs.unlinkSync(canary);
      if (mode === 'delete') fs.unlinkSync(path);
      lock.release();
    }
  }
`);
afterAll(async () => program.remove());

describe('tryFileLock()', () => {
  it('lets several share, or one have it', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const [one, two] = [tryFileLock(path, 'shared'), tryFileLock(path, 'shared')];
    expect([one, two, tryFileLock(path, 'exclusive')].map(Boolean)).toEqual([true, true, false]);
    one?.release();
    two?.release();
    const three = tryFileLock(path, 'exclusive');
    expect([three, tryFileLock(path, 'exclusive'), tryFileLock(path, 'shared')].map(Boolean)).toEqual([
      true,
      false,
      false,
    ]);
    three?.release();
  });

  it('makes the file for its owner only, and never follows a symlink', async () => {
    const folder = await temporaryFolder();
    tryFileLock(join(folder, 'lock'), 'shared')?.release();
    expect(fs.statSync(join(folder, 'lock')).mode & 0o777).toBe(0o600);
    fs.symlinkSync('target', join(folder, 'link'));
    expect(() => tryFileLock(join(folder, 'link'), 'shared')).toThrow('too many levels of symbolic links');
    expect(fs.existsSync(join(folder, 'target'))).toBe(false);
  });

  it('throws ENOENT for a missing file that it is not to make', async () => {
    const path = join(await temporaryFolder(), 'lock');
    expect(() => tryFileLock(path, 'shared', { create: false })).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(fs.existsSync(path)).toBe(false);
  });

  it("release() may be called twice, and closes nobody else's file", async () => {
    const folder = await temporaryFolder();
    const lock = tryFileLock(join(folder, 'lock'), 'exclusive');
    lock?.release();
    const fd = fs.openSync(join(folder, 'other'), 'w');
    expect(fd).toBe(lock?.fd);
    lock?.release();
    fs.writeSync(fd, 'still open');
    fs.closeSync(fd);
  });

  it('is not inherited by the programs that are started meanwhile', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const lock = tryFileLock(path, 'exclusive');
    const child = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin.write('x');
    await once(child.stdout, 'data');
    lock?.release();
    expect(tryFileLock(path, 'exclusive')).toBeDefined();
    child.stdin.end();
    await once(child, 'exit');
  });

  it('S08 on a read-only file system readers share, and a writer learns why not', requires('root'), async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lock');
    fs.writeFileSync(path, '');
    const wrapper = withMounts('mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"', folder);
    const { stdout } = await program.run({ args: ['try', path], wrapper });
    expect(stdout).toBe(`free\nERR_STORE Cannot lock "${path}": the file system is read-only\n`);
  });

  it("as an ordinary user reads the locks of others' files", requires('root'), async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lock');
    fs.chmodSync(folder, 0o755);
    fs.writeFileSync(path, '', { mode: 0o644 });
    const { stdout } = await program.run({ args: ['try', path], uid: 65534 });
    expect(stdout).toBe(`free\nERR_STORE Cannot lock "${path}": permission denied\n`);
  });
});

describe('lockFile()', () => {
  it('waits without blocking the event loop until the other one is gone', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const first = await lockFile(path, 'exclusive');
    const order: string[] = [];
    const second = lockFile(path, 'exclusive').then((lock) => {
      order.push('second');
      return lock;
    });
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    order.push('first');
    first.release();
    (await second).release();
    expect(order).toEqual(['first', 'second']);
  });

  it('throws ERR_ABORTED when the caller gives up, with the reason as its cause', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const held = await lockFile(path, 'shared');
    const reason = new Error('enough');
    const abort = new AbortController();
    const waiting = lockFile(path, 'exclusive', { signal: abort.signal });
    abort.abort(reason);
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: reason });
    await expect(lockFile(path, 'shared', { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      message: `Cannot lock "${path}": it was stopped`,
    });
    held.release();
  });

  it('I7 gets the lock of a killed process at once', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const child = program.start({ args: ['hold', path] });
    for await (const line of createInterface(child.stdout)) if (line === 'locked') break;
    expect(tryFileLock(path, 'shared')).toBeUndefined();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(tryFileLock(path, 'exclusive')).toBeDefined();
  });

  it.each(['keep', 'delete'])('S15 no two of 12 processes are inside at once (they %s the file)', async (mode) => {
    const folder = await temporaryFolder();
    const args = [mode, join(folder, 'lock'), join(folder, 'canary'), '20'];
    const results = await Promise.all(Array.from({ length: 12 }, async () => program.run({ args })));
    expect(results.map(({ code, stderr }) => `${code}${stderr}`)).toEqual(results.map(() => '0'));
  });
});

describe('withFileLock()', () => {
  it('holds the lock while the work lasts, also when it fails', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const failure = new Error('failed');
    const work = withFileLock({ path, kind: 'exclusive' }, async () => {
      expect(tryFileLock(path, 'shared')).toBeUndefined();
      throw failure;
    });
    await expect(work).rejects.toBe(failure);
    expect(await withFileLock({ path, kind: 'exclusive' }, async () => Promise.resolve('answer'))).toBe('answer');
  });

  it('without waiting throws ERR_CONFLICT', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const held = await lockFile(path, 'shared');
    const work = async (): Promise<void> => expect.unreachable();
    await expect(withFileLock({ path, kind: 'exclusive', wait: false }, work)).rejects.toMatchObject({
      code: 'ERR_CONFLICT',
    });
    held.release();
  });
});
