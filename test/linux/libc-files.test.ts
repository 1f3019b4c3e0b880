import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { bindFileCalls, NODE_TYPES } from '../../src/linux/libc-files.ts';
import { bindXattrCalls } from '../../src/linux/libc-xattr.ts';
import { bindLibc } from '../../src/linux/libc.ts';
import { requires } from '../support/requirements.ts';

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mydocker-libc-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

function open(path: string, flags: number): number {
  const fd = openSync(path, flags, 0o600);
  onTestFinished(() => closeSync(fd));
  return fd;
}

describe('bindFileCalls()', () => {
  const calls = bindFileCalls(bindLibc());

  it('sets times to the nanosecond', () => {
    const path = join(emptyFolder(), 'f');
    calls.setFileTimes(open(path, constants.O_CREAT), { seconds: 2 ** 33, nanoseconds: 123_456_789 });
    expect(lstatSync(path, { bigint: true })).toMatchObject({
      mtimeNs: 8_589_934_592_123_456_789n,
      atimeNs: 8_589_934_592_123_456_789n,
    });
  });

  it('sets the times of a symlink and not of what it leads to', () => {
    const folder = emptyFolder();
    symlinkSync('nowhere', join(folder, 's'));
    calls.setPathTimes(Buffer.from(join(folder, 's')), { seconds: 7, nanoseconds: 1 });
    expect(lstatSync(join(folder, 's'), { bigint: true }).mtimeNs).toBe(7_000_000_001n);
  });

  it('makes pipes', () => {
    const path = join(emptyFolder(), 'p');
    calls.makeNode(Buffer.from(path), NODE_TYPES.fifo | 0o600, 0n);
    expect(lstatSync(path).isFIFO()).toBe(true);
  });

  it('makes the device that stands for nothing', requires('root'), () => {
    const path = join(emptyFolder(), 'c');
    calls.makeNode(Buffer.from(path), NODE_TYPES.character | 0o600, 0n);
    expect(lstatSync(path)).toMatchObject({ rdev: 0 });
    expect(lstatSync(path).isCharacterDevice()).toBe(true);
  });

  it('opens relative to a folder, and follows no symlink if told so', () => {
    const folder = emptyFolder();
    mkdirSync(join(folder, 'd'));
    writeFileSync(join(folder, 'd/f'), '');
    symlinkSync('d', join(folder, 's'));
    const root = open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    closeSync(calls.openAt(root, Buffer.from('d/f'), constants.O_RDONLY));
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
    expect(() => calls.openAt(root, Buffer.from('s'), flags)).toThrow(
      expect.objectContaining({ code: 'ELOOP', path: 's' }) as Error,
    );
    expect(() => calls.openAt(root, Buffer.from('d\0f'), flags)).toThrow(TypeError);
  });

  it('lists names in bytes, however many', () => {
    const folder = emptyFolder();
    const names = Array.from({ length: 2000 }, (_, index) => `name-${index}-\xff`);
    for (const name of names) writeFileSync(Buffer.from(join(folder, name), 'latin1'), '');
    const fd = open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    const found: string[] = [];
    for (let batch = calls.nextNames(fd); batch !== undefined; batch = calls.nextNames(fd)) found.push(...batch);
    expect(found.toSorted()).toEqual(names.toSorted());
  });
});

describe('bindXattrCalls()', requires('root'), () => {
  it('sets, lists, reads and removes bytes', () => {
    const calls = bindXattrCalls(bindLibc());
    const fd = open(join(emptyFolder(), 'f'), constants.O_CREAT | constants.O_RDWR);
    const value = Buffer.from([0, 255, 10, 61]);
    calls.set(fd, 'trusted.a', value);
    calls.set(fd, 'trusted.empty', Buffer.alloc(0));
    expect(
      calls
        .list(fd)
        .filter((name) => name.startsWith('trusted.'))
        .toSorted(),
    ).toEqual(['trusted.a', 'trusted.empty']);
    expect(calls.get(fd, 'trusted.a')).toEqual(value);
    expect(calls.get(fd, 'trusted.empty')).toEqual(Buffer.alloc(0));
    expect(calls.get(fd, 'trusted.none')).toBeUndefined();
    calls.remove(fd, 'trusted.a');
    expect(calls.get(fd, 'trusted.a')).toBeUndefined();
    expect(() => calls.set(fd, 'unknown', value)).toThrow(expect.objectContaining({ syscall: 'fsetxattr' }) as Error);
  });

  it('finds none where the file system has none', () => {
    const calls = bindXattrCalls(bindLibc());
    const fd = open('/proc/self/status', constants.O_RDONLY);
    expect(calls.list(fd)).toEqual([]);
    expect(calls.get(fd, 'user.a')).toBeUndefined();
  });
});
