import { describe, expect, it } from 'vitest';

import { callerAccount } from '../../src/container/caller-account.ts';
import type { CallerAccountRequest } from '../../src/container/caller-account.ts';

const REQUEST: CallerAccountRequest = {
  ids: { uid: 1000, gid: 100 },
  host: { name: 'ann', group: 'users', home: '/home/ann' },
  accounts: { passwd: 'root:x:0:0::/root:\n', group: 'root:x:0:\n' },
  workingFolder: '/app',
  targets: [],
};

describe('callerAccount()', () => {
  it('names the caller as on the host', () => {
    expect(callerAccount(REQUEST)).toEqual({
      entries: { passwd: 'ann:*:1000:100:ann:/app:/bin/sh\n', group: 'users:x:100:ann\n' },
      home: '/app',
    });
  });

  it('names a caller with other numbers by them', () => {
    expect(callerAccount({ ...REQUEST, host: undefined })).toEqual({
      entries: { passwd: '1000:*:1000:100:container user:/app:/bin/sh\n', group: '100:x:100:1000\n' },
      home: '/app',
    });
  });

  it.for([
    [['/home/ann'], '/home/ann'],
    [['/home'], '/home/ann'],
    [['/home/ann/src', '/home/anna', '/hom'], '/app'],
  ] as const)('lets it be at home where that is mounted: %j', ([targets, home]) => {
    expect(callerAccount({ ...REQUEST, targets })).toMatchObject({
      entries: { passwd: `ann:*:1000:100:ann:${home}:/bin/sh\n` },
      home,
    });
  });

  it('starts a line of its own', () => {
    const accounts = { passwd: 'root:x:0:0', group: 'root:x:0:' };
    expect(callerAccount({ ...REQUEST, accounts }).entries).toEqual({
      passwd: '\nann:*:1000:100:ann:/app:/bin/sh\n',
      group: '\nusers:x:100:ann\n',
    });
  });

  it.for([
    ['has that name', { passwd: 'ann:x:5:5::/:\n', group: 'users:x:5:\n' }],
    ['has that number', { passwd: 'app:x:1000:5::/:\n', group: 'staff:x:100:\n' }],
    ['has no such files', { passwd: '', group: '' }],
  ] as const)('adds nothing where the image %s', ([, accounts]) => {
    expect(callerAccount({ ...REQUEST, accounts })).toEqual({ entries: { passwd: '', group: '' }, home: undefined });
  });

  it.for(['/a\nroot2:x:0:0::/:/bin/sh', '/a:b'])(
    'writes no more than one line of seven fields: %j',
    (workingFolder) => {
      expect(callerAccount({ ...REQUEST, workingFolder })).toMatchObject({
        entries: { passwd: 'ann:*:1000:100:ann:/:/bin/sh\n' },
        home: '/',
      });
    },
  );
});
