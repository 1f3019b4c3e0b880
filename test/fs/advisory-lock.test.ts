import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';

import { afterAll, describe, expect, it } from 'vitest';

import { advisoryLockPath, breakAdvisoryLock, lockAdvisory } from '../../src/fs/advisory-lock.ts';
import { buildChildProgram } from './child-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const program = await buildChildProgram(`
  import { lockAdvisory } from './src/fs/advisory-lock.ts';
  import fs from 'node:fs';
  import { mock } from 'node:test';
  const [mode, path] = process.argv.slice(2);
  if (mode === 'stolen') mock.timers.enable({ apis: ['setTimeout'] });
  const lock = await lockAdvisory(path, {});
  console.log('locked');
  if (mode === 'stolen') {
    fs.rmdirSync(path + '.lock'); // the heartbeat finds it gone
    mock.timers.tick(4000);
    for (let turn = 0; turn < 100; turn++) await fs.promises.stat('/');
    await lock.release();
    console.log('alive');
  } else await new Promise((resolve) => process.stdin.once('end', resolve).resume());
`);
afterAll(async () => program.remove());

describe('lockAdvisory()', () => {
  it('lets one have it, for a path where nothing has to be', async () => {
    const path = join(await temporaryFolder(), 'file');
    const lock = await lockAdvisory(path, {});
    expect(fs.readdirSync(join(path, '..'))).toEqual(['file.lock']);
    let waits = 0;
    const second = lockAdvisory(path, { onWait: () => (waits += 1) });
    expect(await lockAdvisory(path, { giveUp: async () => Promise.resolve(true) })).toBeUndefined();
    await lock?.release();
    await (await second)?.release();
    expect(waits).toBe(1);
    expect(fs.readdirSync(join(path, '..'))).toEqual([]);
  });

  it('throws ERR_ABORTED when the caller gives up', async () => {
    const path = join(await temporaryFolder(), 'file');
    const lock = await lockAdvisory(path, {});
    const abort = new AbortController();
    const waiting = lockAdvisory(path, { signal: abort.signal, onWait: () => abort.abort() });
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await lock?.release();
  });

  it('takes over from a process whose heartbeat stopped long ago', async () => {
    const path = join(await temporaryFolder(), 'file');
    const child = program.start({ args: ['hold', path] });
    for await (const line of createInterface(child.stdout)) if (line === 'locked') break;
    child.kill('SIGKILL');
    await once(child, 'exit');
    fs.utimesSync(advisoryLockPath(path), 1, 1);
    expect(await lockAdvisory(path, { giveUp: async () => Promise.resolve(true) })).toBeDefined();
  });

  it('tries again when the lock is taken for abandoned while it is being made', async () => {
    const path = join(await temporaryFolder(), 'file');
    for (let round = 0; round < 20; round += 1) {
      const state = { locked: false };
      const locking = lockAdvisory(path, {}).finally(() => (state.locked = true));
      while (!state.locked && !removeIfThere(advisoryLockPath(path))) await setImmediate();
      await (await locking)?.release();
    }
  });

  it('says which file system error keeps it from locking', async () => {
    const path = join(await temporaryFolder(), 'none/file');
    await expect(lockAdvisory(path, {})).rejects.toMatchObject({
      code: 'ERR_STORE',
      message: `Cannot lock "${path}": no such file or directory`,
    });
  });

  it('S29 the holder survives losing the lock, and release() throws nothing', async () => {
    const path = join(await temporaryFolder(), 'file');
    const { code, stdout } = await program.run({ args: ['stolen', path] });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'locked\nalive\n' });
  });
});

describe('breakAdvisoryLock()', () => {
  it('takes the lock from a holder that is known to be dead', async () => {
    const path = join(await temporaryFolder(), 'file');
    fs.mkdirSync(advisoryLockPath(path));
    const lock = await breakAdvisoryLock(path);
    expect(lock).toBeDefined();
    await lock?.release();
    expect(fs.existsSync(advisoryLockPath(path))).toBe(false);
  });
});

function removeIfThere(folder: string): boolean {
  try {
    fs.rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
