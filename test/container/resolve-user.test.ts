import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { resolveUser } from '../../src/container/resolve-user.ts';
import { isToolError } from '../../src/errors.ts';

const ACCOUNTS = {
  passwd: [
    'root:x:0:0:root:/root:/bin/sh',
    'bob:x:1000:1001:Bob:/home/bob:/bin/sh',
    'homeless:x:1002:1002:::',
    '4711:x:0:0:digits only::/bin/sh',
    'huge:x:4294967295:0::/:',
    'negative:x:-1:0::/:',
    'hex:x:0x0:0::/:',
    'short',
    'nul\0:x:5:5::/:',
    '',
  ].join('\n'),
  group: 'root:x:0:\nwheel:x:10:root,bob\nstaff:x:50:bob\n999:x:0:\nbig:x:2147483648:bob\nbob:x:1001:\n',
};

describe('resolveUser()', () => {
  it.for([
    ['', { uid: 0, gid: 0, groups: [0, 10], home: '/root' }],
    ['root', { uid: 0, gid: 0, groups: [0, 10], home: '/root' }],
    ['bob', { uid: 1000, gid: 1001, groups: [1001, 10, 50], home: '/home/bob' }],
    ['1000', { uid: 1000, gid: 1001, groups: [1001, 10, 50], home: '/home/bob' }],
    ['0001000', { uid: 1000, gid: 1001, groups: [1001, 10, 50], home: '/home/bob' }],
    ['bob:wheel', { uid: 1000, gid: 10, groups: [10], home: '/home/bob' }],
    ['bob:77', { uid: 1000, gid: 77, groups: [77], home: '/home/bob' }],
    ['77', { uid: 77, gid: 0, groups: [0], home: '/' }],
    ['77:staff', { uid: 77, gid: 50, groups: [50], home: '/' }],
    ['homeless', { uid: 1002, gid: 1002, groups: [1002], home: '/' }],
    ['root:', { uid: 0, gid: 0, groups: [0, 10], home: '/root' }],
    [':', { uid: 0, gid: 0, groups: [0, 10], home: '/root' }],
    [':0', { uid: 0, gid: 0, groups: [0], home: '/root' }],
    [':wheel', { uid: 0, gid: 10, groups: [10], home: '/root' }],
    ['2147483647', { uid: 2147483647, gid: 0, groups: [0], home: '/' }],
  ] as const)('reads "%s"', ([user, expected]) => {
    expect(resolveUser(user, ACCOUNTS)).toEqual(expected);
  });

  it.for([
    ['4711', { uid: 4711, gid: 0 }],
    ['bob:999', { uid: 1000, gid: 999 }],
  ] as const)('C05 B15 takes digits for an id even if they are a name: "%s"', ([user, expected]) => {
    expect(resolveUser(user, ACCOUNTS)).toMatchObject(expected);
  });

  it.for([
    ['nouser', 'Cannot run as user "nouser": unable to find user nouser: no matching entries in passwd file'],
    ['bob:nogroup', 'Cannot run as user "nogroup": unable to find group nogroup: no matching entries in group file'],
    ['4294967295', 'Cannot run as user "4294967295": uids and gids must be in range 0-2147483647'],
    ['2147483648', 'Cannot run as user "2147483648": uids and gids must be in range 0-2147483647'],
    ['0:2147483648', 'Cannot run as user "2147483648": uids and gids must be in range 0-2147483647'],
    ['-1', 'Cannot run as user "-1": unable to find user -1: no matching entries in passwd file'],
    ['0x0', 'Cannot run as user "0x0": unable to find user 0x0: no matching entries in passwd file'],
    [' 0', 'Cannot run as user " 0": unable to find user  0: no matching entries in passwd file'],
    ['huge', 'Cannot run as user "huge": unable to find user huge: no matching entries in passwd file'],
    ['negative', 'Cannot run as user "negative": unable to find user negative: no matching entries in passwd file'],
    ['bob:wheel:x', 'Cannot run as user "wheel:x": unable to find group wheel:x: no matching entries in group file'],
    [':nogroup', 'Cannot run as user "nogroup": unable to find group nogroup: no matching entries in group file'],
    ['nouser:', 'Cannot run as user "nouser": unable to find user nouser: no matching entries in passwd file'],
    ['bob:big', 'Cannot run as user "big": unable to find group big: no matching entries in group file'],
  ])('C05 refuses "%s"', ([user, message]) => {
    expect(() => resolveUser(user ?? '', ACCOUNTS)).toThrow(
      expect.objectContaining({ code: 'ERR_CONTAINER', message }) as Error,
    );
  });

  it('knows ids without any files, and no names', () => {
    const none = { passwd: '', group: '' };
    expect(resolveUser('', none)).toEqual({ uid: 0, gid: 0, groups: [0], home: '/' });
    expect(() => resolveUser('root', none)).toThrow('no matching entries in passwd file');
  });

  it('C06 takes no more groups than the kernel does, in reasonable time', () => {
    const group = Array.from({ length: 100_000 }, (_, index) => `g${index}:x:${index + 1}:root`).join('\n');
    expect(resolveUser('root', { ...ACCOUNTS, group }).groups).toHaveLength(65_536);
  });

  it('answers with ids in range or a ToolError for any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (user, passwd, group) => {
        try {
          const { uid, gid, groups } = resolveUser(user, { passwd, group });
          for (const id of [uid, gid, ...groups]) expect(id >= 0 && id < 2 ** 31 && Number.isInteger(id)).toBe(true);
        } catch (error) {
          if (!isToolError(error, 'ERR_CONTAINER')) throw error;
        }
      }),
    );
  });
});
