import { describe, expect, it } from 'vitest';
import { parseMounts } from '../../src/linux/mount-info.ts';

describe('parseMounts()', () => {
  it('reads lines with and without optional fields', () => {
    const text =
      '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n' +
      '36 35 98:0 /mnt1 /mnt\\040two ro,noexec master:1 shared:2 - tmpfs none ro,size=4k\n';
    expect(parseMounts(text)).toEqual([
      { root: '/', point: '/', flags: ['rw', 'relatime'], type: 'ext4', options: ['rw', 'discard'] },
      { root: '/mnt1', point: '/mnt two', flags: ['ro', 'noexec'], type: 'tmpfs', options: ['ro', 'size=4k'] },
    ]);
  });

  it.each(['', 'nonsense', '1 2 3'])('leaves out %j', (text) => {
    expect(parseMounts(text)).toEqual([]);
  });
});
