import fs from 'node:fs';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { LOCK_EX, LOCK_NB, LOCK_SH, bindLibc, cString, loadLibc, syscallError } from '../../src/linux/libc.ts';
import { buildChildProgram } from '../fs/child-program.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';

const program = await buildChildProgram(`
  import { createRequire } from 'node:module';
  import { loadLibc } from './src/linux/libc.ts';
  const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('/koffi/'));
  console.log(loaded());
  loadLibc();
  console.log(loaded());
`);
afterAll(async () => program.remove());

describe('bindLibc()', () => {
  it('answers what the function answers', () => {
    const getpid = bindLibc().bind('getpid', 'int', []);
    expect(getpid([])).toBe(process.pid);
  });

  it('passes buffers in place, and numbers of 64 bits', async () => {
    const path = join(await temporaryFolder(), 'file');
    const buffer = Buffer.alloc(4);
    fs.writeFileSync(path, Buffer.concat([Buffer.alloc(10), Buffer.from('text')]));
    const fd = fs.openSync(path, 'r+');
    const libc = bindLibc();
    expect(libc.bind('pread', 'int64', ['int', 'void *', 'size_t', 'int64'])([fd, buffer, 4, 10n])).toBe(4);
    expect(buffer.toString()).toBe('text');
    const lseek = libc.bind('lseek', 'int64', ['int', 'int64', 'int']);
    expect(lseek([fd, 2n ** 40n, 0])).toBe(2 ** 40);
    fs.closeSync(fd);
  });

  it('throws what Node throws for -1: code, errno, syscall and path', () => {
    const access = bindLibc().bind('access', 'int', ['void *', 'int']);
    const fromNode = failure(() => fs.accessSync('/none/such'));
    const fromLibc = failure(() => access([cString('/none/such'), 0], '/none/such'));
    expect(new Map(Object.entries(fromLibc))).toEqual(new Map(Object.entries(fromNode)));
    expect(fromLibc.message).toBe(fromNode.message);
  });

  it('throws for a function that the C library lacks', () => {
    expect(() => bindLibc().bind('no_such_function', 'int', [])).toThrow('no_such_function');
  });

  it.each(['int', 'uint', 'int64', 'uint64', 'size_t', 'void *', '...'] as const)('knows the type %s', (type) => {
    bindLibc().bind('getpid', 'int', [type]);
  });

  it('loads koffi with the first call, not with the module', async () => {
    expect((await program.run()).stdout).toBe('false\ntrue\n');
  });
});

describe('loadLibc()', () => {
  it('flock() locks between two open files of one process', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const [one, two] = [fs.openSync(path, 'w'), fs.openSync(path, 'r')];
    const libc = loadLibc();
    libc.flock(one, LOCK_SH | LOCK_NB);
    libc.flock(two, LOCK_SH | LOCK_NB);
    expect(failure(() => libc.flock(two, LOCK_EX | LOCK_NB, path))).toMatchObject({
      code: 'EAGAIN',
      errno: -11,
      syscall: 'flock',
      path,
    });
    fs.closeSync(one);
    libc.flock(two, LOCK_EX | LOCK_NB);
    fs.closeSync(two);
  });

  it('syncfsSync() throws EBADF for what is no descriptor', async () => {
    const fd = fs.openSync(await temporaryFolder(), 'r');
    loadLibc().syncfsSync(fd);
    fs.closeSync(fd);
    expect(failure(() => loadLibc().syncfsSync(-1))).toMatchObject({ code: 'EBADF' });
  });
});

describe('cString()', () => {
  it('ends in NUL, and keeps bytes that are not UTF-8', () => {
    expect(cString('é')).toEqual(Buffer.from([0xc3, 0xa9, 0]));
    expect(cString(Buffer.from([0xff]))).toEqual(Buffer.from([0xff, 0]));
  });

  it('refuses a NUL inside, behind which C would see nothing', () => {
    expect(() => cString('/safe\0/../etc')).toThrow(TypeError);
    expect(() => cString(Buffer.from([0x61, 0, 0x62]))).toThrow(TypeError);
  });
});

describe('syscallError()', () => {
  it('names errors that libuv does not know', () => {
    expect(syscallError('write', 122)).toMatchObject({ code: 'EDQUOT', errno: -122 });
    expect(syscallError('write', 9999)).toMatchObject({ code: 'E9999', errno: -9999 });
  });
});

function failure(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not fail');
}
