import { describe, expect, it } from 'vitest';
import { mountAttr, MOUNT_ATTR_SIZE } from '../../src/linux/mount-flags.ts';
import { openHow, OPEN_HOW_SIZE } from '../../src/linux/path-flags.ts';

describe('mountAttr()', () => {
  it('has set, clear, propagation and user namespace as 64-bit words', () => {
    const bytes = mountAttr({ set: 1, clear: 2, propagation: 3, userns: 4 });
    expect(bytes).toHaveLength(MOUNT_ATTR_SIZE);
    expect([0, 8, 16, 24].map((at) => bytes.readBigUInt64LE(at))).toEqual([1n, 2n, 3n, 4n]);
    expect(mountAttr({}).equals(Buffer.alloc(MOUNT_ATTR_SIZE))).toBe(true);
  });
});

describe('openHow()', () => {
  it('has flags, mode and resolve as 64-bit words', () => {
    const bytes = openHow({ flags: 1, mode: 2, resolve: 3 });
    expect(bytes).toHaveLength(OPEN_HOW_SIZE);
    expect([0, 8, 16].map((at) => bytes.readBigUInt64LE(at))).toEqual([1n, 2n, 3n]);
    expect(openHow({ flags: 1 }).readBigUInt64LE(8)).toBe(0n);
  });
});
