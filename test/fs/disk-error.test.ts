import fs from 'node:fs';

import { describe, expect, it } from 'vitest';

import { ToolError } from '../../src/errors.ts';
import { diskError, hasErrno, isNoSpace, withDiskErrors } from '../../src/fs/disk-error.ts';

describe('diskError()', () => {
  it.each([
    [28, 'ENOSPC', 'ERR_NO_SPACE', 'no space is left on the file system'],
    [122, 'Unknown system error -122', 'ERR_NO_SPACE', 'the disk quota is used up'],
    [30, 'EROFS', 'ERR_STORE', 'the file system is read-only'],
    [13, 'EACCES', 'ERR_STORE', 'permission denied'],
    [5, 'EIO', 'ERR_STORE', 'input/output error'],
    [9999, 'Unknown system error -9999', 'ERR_STORE', 'error 9999'],
  ])('S05 says what errno %i (%s) means and for which path', (errno, code, wanted, text) => {
    const cause = Object.assign(new Error(`${code}: x`), { errno: -errno, code });
    const error = diskError(cause, 'write', '/a/b');
    expect(error).toMatchObject({ code: wanted, message: `Cannot write "/a/b": ${text}`, cause });
    expect(isNoSpace(error)).toBe(wanted === 'ERR_NO_SPACE');
    expect(isNoSpace(cause)).toBe(wanted === 'ERR_NO_SPACE');
  });

  it('hands back what the system did not say', () => {
    const tool = new ToolError('ERR_INTEGRITY', 'wrong');
    const bug = new TypeError('bug');
    expect(diskError(tool, 'write', '/a')).toBe(tool);
    expect(diskError(bug, 'write', '/a')).toBe(bug);
    expect(diskError('text', 'write', '/a').message).toBe('text');
    expect([isNoSpace(tool), isNoSpace(bug), isNoSpace(undefined)]).toEqual([false, false, false]);
  });

  it('lets no control character of a path through', () => {
    const cause = Object.assign(new Error('x'), { errno: -2, code: 'ENOENT' });
    expect(diskError(cause, 'read', '/a\u001b[31m').message).toBe(
      'Cannot read "/a\\x1b[31m": no such file or directory',
    );
  });
});

describe('withDiskErrors()', () => {
  it('answers what the work answers, and translates what it throws', async () => {
    expect(await withDiskErrors('read', '/x', async () => Promise.resolve(7))).toBe(7);
    const work = async (): Promise<Buffer> => fs.promises.readFile('/none/such');
    await expect(withDiskErrors('read', '/x', work)).rejects.toThrow('Cannot read "/x": no such file or directory');
  });
});

describe('hasErrno()', () => {
  it('looks at the code of a system error, whatever was thrown', () => {
    const error = Object.assign(new Error('x'), { code: 'ENOENT' });
    expect([hasErrno(error, 'EIO', 'ENOENT'), hasErrno(error, 'EIO')]).toEqual([true, false]);
    expect([hasErrno(undefined, 'EIO'), hasErrno('EIO', 'EIO'), hasErrno(new Error('EIO'), 'EIO')]).toEqual([
      false,
      false,
      false,
    ]);
  });
});
