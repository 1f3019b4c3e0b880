import { describe, expect, it } from 'vitest';

import { flagsOf, readMountFlags } from '../../../src/container/oci-bundle/mount-flags.ts';

const MOUNTINFO =
  '36 35 98:0 / / rw,relatime - ext4 /dev/root rw\n' +
  '361 36 0:30 / /with\\040space ro,nosuid,nodev,noexec,noatime shared:1 - tmpfs tmpfs rw\n';

describe('flagsOf()', () => {
  it('are those of the mount that protect, and none of one that is not there', () => {
    expect(flagsOf(MOUNTINFO, '361')).toEqual(['ro', 'nosuid', 'nodev', 'noexec']);
    expect(flagsOf(MOUNTINFO, '36')).toEqual([]);
    expect(flagsOf(MOUNTINFO, '')).toEqual([]);
  });
});

describe('readMountFlags()', () => {
  it('finds the mount of each path', () => {
    const flags = readMountFlags(['/proc/self/status', '/dev/null']);
    expect([...flags.keys()]).toEqual(['/proc/self/status', '/dev/null']);
  });

  it('fails for what is not there', () => {
    expect(() => readMountFlags(['/proc/nothing'])).toThrow(/ENOENT/);
  });
});
