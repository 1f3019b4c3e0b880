import { describe, expect, it } from 'vitest';

import { parseTmpfs } from '../../src/container/parse-tmpfs.ts';
import { MOUNT_ATTR } from '../../src/linux/mount-flags.ts';

const { NOSUID, NODEV, NOEXEC, RDONLY } = MOUNT_ATTR;

describe('parseTmpfs()', () => {
  it.for([
    ['/run', NOSUID | NODEV | NOEXEC, []],
    ['/run:exec,suid', NODEV, []],
    ['/run:exec,noexec,ro', NOSUID | NODEV | NOEXEC | RDONLY, []],
    [
      '/run:rw,nosuid,nodev,size=64m,mode=1777',
      NOSUID | NODEV | NOEXEC,
      [
        ['size', '64m'],
        ['mode', '1777'],
      ],
    ],
    [
      '/run:size=1k,size=2k,uid=7',
      NOSUID | NODEV | NOEXEC,
      [
        ['size', '2k'],
        ['uid', '7'],
      ],
    ],
  ] as const)('reads "%s"', ([text, attributes, options]) => {
    expect(parseTmpfs(text)).toEqual({ kind: 'tmpfs', target: '/run', attributes, options });
  });

  it.for([
    ['/run:', 'invalid tmpfs option ""'],
    ['/run:dev', 'invalid tmpfs option "dev"'],
    ['/run:size', 'invalid tmpfs option "size"'],
    ['/run:size=', 'invalid tmpfs option "size="'],
    ['/run:constructor', 'invalid tmpfs option "constructor"'],
    ['/run:source=/dev/sda', 'invalid tmpfs option "source=/dev/sda"'],
    ['run', 'mount path must be absolute'],
    ['/', "destination can't be '/'"],
    ['/dev', '"/dev" is the container\'s own'],
    ['/proc/x:size=1m', 'is inside /proc'],
  ])('refuses "%s"', ([text = '', reason = '']) => {
    expect(() => parseTmpfs(text)).toThrow(reason);
  });
});
