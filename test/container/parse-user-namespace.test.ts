import { describe, expect, it } from 'vitest';

import { parseUserNamespace } from '../../src/container/parse-user-namespace.ts';

describe('parseUserNamespace()', () => {
  it.for([
    ['', { kind: 'host' }],
    ['host', { kind: 'host' }],
    ['keep-id', { kind: 'keep-id' }],
    ['keep-id:', { kind: 'keep-id' }],
    ['keep-id:uid=5', { kind: 'keep-id', uid: 5 }],
    ['keep-id:gid=7,uid=5', { kind: 'keep-id', uid: 5, gid: 7 }],
    ['keep-id:uid=5,uid=6', { kind: 'keep-id', uid: 6 }],
    ['keep-id:uid=2147483647', { kind: 'keep-id', uid: 2_147_483_647 }],
  ] as const)('reads "%s"', ([text, expected]) => {
    expect(parseUserNamespace(text)).toEqual(expected);
  });

  it.for(['private', 'auto', 'auto:size=10', 'nomap', 'container:abc', 'ns:/proc/1/ns/user'])(
    'says what to use in place of "%s"',
    (text) => {
      expect(() => parseUserNamespace(text)).toThrow(
        expect.objectContaining({
          code: 'ERR_UNSUPPORTED',
          message: `Cannot use user namespace "${text}": there is no such mode here`,
          hint: expect.stringContaining('"keep-id"') as string,
        }) as Error,
      );
    },
  );

  it.for([
    ['hosts', '--userns: invalid USER mode'],
    ['HOST', '--userns: invalid USER mode'],
    ['host:x', undefined],
    ['keep-id:size=5', 'unknown option specified: "size=5"'],
    ['keep-id:uid=-1', 'unknown option specified: "uid=-1"'],
    ['keep-id:uid=', 'unknown option specified: "uid="'],
    ['keep-id:uid=2147483648', 'unknown option specified: "uid=2147483648"'],
    ['keep-id:uid=1,', 'unknown option specified: ""'],
    ['keep-id:uid=1:gid=2', 'unknown option specified: "uid=1:gid=2"'],
    ['keep-id:\u001b[31m', String.raw`unknown option specified: "\x1b[31m"`],
  ])('refuses "%s"', ([text = '', message = '--userns: invalid USER mode']) => {
    expect(() => parseUserNamespace(text)).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(message) as string }) as Error,
    );
  });
});
