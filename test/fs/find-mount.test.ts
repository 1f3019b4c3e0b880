import { describe, expect, it } from 'vitest';
import { findMount } from '../../src/fs/find-mount.ts';

const MOUNTS = [
  '1 0 1:1 / / rw - ext4 a rw',
  '2 1 1:2 / /home rw,noexec - xfs b rw',
  '3 2 1:3 / /home/ann rw - btrfs c rw',
  '4 1 1:4 / /over rw - ext4 d rw',
  '5 4 1:5 / /over rw - tmpfs e rw',
].join('\n');

describe('findMount()', () => {
  it.each([
    ['/', 'ext4'],
    ['/etc', 'ext4'],
    ['/home', 'xfs'],
    ['/homes', 'ext4'],
    ['/home/anna', 'xfs'],
    ['/home/ann/x', 'btrfs'],
    ['/over/x', 'tmpfs'],
  ])('of %s is %s', (path, type) => {
    expect(findMount(path, MOUNTS)?.type).toBe(type);
  });

  it('looks at this process', () => {
    expect(findMount('/proc/self')?.type).toBe('proc');
  });
});
