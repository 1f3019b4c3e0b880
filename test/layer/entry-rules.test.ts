import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { cleanPath, toBytes, toFsPath } from '../../src/layer/entry-path.ts';
import { clampTime } from '../../src/layer/entry-time.ts';
import { defaultLimits } from '../../src/layer/layer-limits.ts';
import { ownerOnDisk } from '../../src/layer/owners.ts';
import { Refusal } from '../../src/layer/refusal.ts';
import { collectWarnings } from '../../src/layer/warnings.ts';
import { meaningOf } from '../../src/layer/whiteout-name.ts';
import { allowedXattrs } from '../../src/layer/xattr-policy.ts';

describe('cleanPath()', () => {
  it('P1: answers a path below the root without . and .., or refuses', () => {
    const parts = fc.array(fc.constantFrom('', '.', '..', 'a', '...', 'b c', '\xff'), { maxLength: 8 });
    fc.assert(
      fc.property(parts, (names) => {
        const depths = depthsOf(names);
        if (depths.some((depth) => depth < 0)) {
          expect(() => cleanPath(names.join('/'))).toThrow(Refusal);
          return;
        }
        const path = cleanPath(names.join('/'));
        expect(path.split('/').filter((name) => ['.', '..'].includes(name))).toEqual([]);
        expect(path === '' ? 0 : path.split('/').length).toBe(depths.at(-1) ?? 0);
        expect(cleanPath(path)).toBe(path);
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps every byte on the way to the file system', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 30 }), (bytes) => {
        const name = Buffer.from(bytes).toString('latin1');
        const fsPath = toFsPath(name);
        expect(Buffer.from(fsPath as string)).toEqual(toBytes(name));
      }),
    );
  });
});

/** How deep each prefix of a path leads. */
function depthsOf(names: string[]): number[] {
  let depth = 0;
  return names.map((name) => {
    if (name === '..') depth -= 1;
    else if (name !== '' && name !== '.') depth += 1;
    return depth;
  });
}

describe('meaningOf()', () => {
  it.each([
    ['a/b', { kind: 'entry' }],
    ['a/x.wh.y', { kind: 'entry' }],
    ['.wh.a', { kind: 'whiteout', path: 'a' }],
    ['d/.wh.a', { kind: 'whiteout', path: 'd/a' }],
    ['d/.wh....', { kind: 'whiteout', path: 'd/...' }],
    ['.wh..wh..opq', { kind: 'opaque', path: '' }],
    ['d/e/.wh..wh..opq', { kind: 'opaque', path: 'd/e' }],
    ['d/.wh..wh.x', { kind: 'nothing' }],
    ['.wh..wh.plnk/x', { kind: 'nothing' }],
  ])('%s', (path, expected) => {
    expect(meaningOf(path)).toEqual(expected);
  });

  it.each(['.wh.', 'd/.wh.', '.wh..', '.wh...', '.wh.d/x', 'a/.wh.d/x'])('L84, L96: %s is refused', (path) => {
    expect(() => meaningOf(path)).toThrow(Refusal);
  });
});

describe('ownerOnDisk()', () => {
  const ranges = [
    { inside: 0, outside: 1000, count: 1 },
    { inside: 1, outside: 100_000, count: 65_536 },
  ];
  const mapped = { kind: 'mapped', uids: ranges, gids: ranges } as const;

  it.each([
    ['root', { kind: 'root' } as const, { uid: 4_294_967_294, gid: 7 }, { uid: 4_294_967_294, gid: 7 }],
    ['mapped', mapped, { uid: 65_536, gid: 0 }, { uid: 65_536, gid: 0 }],
    ['single', { kind: 'single', uid: 1000, gid: 1000 } as const, { uid: 5, gid: 4_294_967_294 }, { uid: 0, gid: 0 }],
  ])('L54: with %s', (_, ownership, owner, expected) => {
    expect(ownerOnDisk(owner, ownership)).toEqual(expected);
  });

  it.each([
    ['a user id', { uid: 65_537, gid: 0 }],
    ['a group id', { uid: 0, gid: 65_537 }],
  ])('L54: %s outside of the range is refused with a hint', (_, owner) => {
    expect(() => ownerOnDisk(owner, mapped)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('/etc/subuid') as string }) as Error,
    );
  });

  it.each([-1, 1.5, 2 ** 32 - 1, 2 ** 32, 2 ** 60, Number.NaN])('L55: %d is refused with any ownership', (id) => {
    for (const ownership of [{ kind: 'root' } as const, mapped, { kind: 'single', uid: 1, gid: 1 } as const]) {
      expect(() => ownerOnDisk({ uid: id, gid: 0 }, ownership)).toThrow(/user id .* is not a valid one/);
      expect(() => ownerOnDisk({ uid: 0, gid: id }, ownership)).toThrow(/group id .* is not a valid one/);
    }
  });
});

describe('allowedXattrs()', () => {
  it.each([
    ['user.a', true],
    ['user.overlay', true],
    ['user.overlay.x', false],
    ['user.overlay.whiteout', false],
    ['user.containers.override_stat', false],
    ['trusted.overlay.opaque', false],
    ['security.selinux', false],
    ['system.posix_acl_access', false],
    ['__proto__', false],
    ['', false],
  ])('L58, L59: %s', (name, isKept) => {
    const dropped: string[] = [];
    const kept = allowedXattrs(new Map([[name, 'v']]), 'file', (other) => dropped.push(other));
    expect([...(kept?.keys() ?? [])]).toEqual(isKept ? [name] : []);
    expect(dropped).toEqual(isKept ? [] : [name]);
  });
});

describe('clampTime()', () => {
  it.each([
    [
      { seconds: -1, nanoseconds: 5 },
      { seconds: 0, nanoseconds: 0 },
    ],
    [
      { seconds: -0, nanoseconds: 5 },
      { seconds: -0, nanoseconds: 5 },
    ],
    [
      { seconds: 2 ** 34 - 1, nanoseconds: 5 },
      { seconds: 2 ** 34 - 1, nanoseconds: 5 },
    ],
    [
      { seconds: 2 ** 34, nanoseconds: 5 },
      { seconds: 2 ** 34 - 1, nanoseconds: 0 },
    ],
    [
      { seconds: Number.NaN, nanoseconds: 0 },
      { seconds: 0, nanoseconds: 0 },
    ],
  ])('L56: %o', (time, expected) => {
    expect(clampTime(time)).toEqual(expected);
  });
});

describe('defaultLimits()', () => {
  const GIB = 1024 ** 3;

  it.each([
    ['20 GiB for what is small', 1000, 1000 * GIB, { bytes: 20 * GIB }],
    ['200 times what is large', GIB, 1000 * GIB, { bytes: 200 * GIB }],
    ['not more than 90 % of the free space', GIB, 10 * GIB, { bytes: 9 * GIB, isFreeSpace: true }],
  ])('L70: %s', (_, compressed, free, expected) => {
    expect(defaultLimits(compressed, free)).toMatchObject(expected);
  });
});

describe('collectWarnings()', () => {
  it('says each text once, and stops after a screenful', () => {
    const warnings = collectWarnings();
    for (let index = 0; index < 50; index += 1) warnings.add('left out', `name ${index % 30}`);
    expect(warnings.list()).toHaveLength(21);
    expect(warnings.list().at(-1)).toMatch(/^and \d+ more like these$/);
  });
});
