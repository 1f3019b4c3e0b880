import { describe, expect, it } from 'vitest';

import { imageVolumes, workingFolder } from '../../src/container/container-folders.ts';

describe('workingFolder()', () => {
  it.for([
    ['', undefined, '/'],
    ['/app', undefined, '/app'],
    ['/app', '/flag', '/flag'],
    ['relative', undefined, '/relative'],
    ['../..', undefined, '/'],
    ['/a/../../b//c/', undefined, '/b/c'],
    ['/process', undefined, '/process'],
    ['/app', '/', '/'],
  ] as const)('of image "%s" and flag "%s" is "%s"', ([image, flag, expected]) => {
    expect(workingFolder(image, flag)).toBe(expected);
  });

  it.for(['/proc', '/proc/self/fd/7', '/sys/x', '/x/../proc/1', 'proc/1', '/a\0b', `/${'a'.repeat(4095)}`])(
    'C07 B14 refuses "%s"',
    (image) => {
      expect(() => workingFolder(image, undefined)).toThrow(
        expect.objectContaining({ code: 'ERR_CONTAINER' }) as Error,
      );
    },
  );

  it('refuses a flag that is not absolute', () => {
    expect(() => workingFolder('', 'x')).toThrow('the working directory is invalid, it needs to be an absolute path');
  });
});

describe('imageVolumes()', () => {
  it.for([
    [['/data', '/data/', 'data'], [], ['/data']],
    [['/../../etc', '/a/./b'], [], ['/etc', '/a/b']],
    [['/', '', '.', '/proc/x', '/sys', '/dev/shm', '/device'], [], ['/device']],
    [['/data', '/data/db', '/database'], ['/data'], ['/database']],
  ] as const)('C08 B13 of %j with mounts at %j are %j', ([volumes, targets, expected]) => {
    expect(imageVolumes(volumes, targets)).toEqual(expected);
  });

  it('refuses more than a set-up should have to make', () => {
    const volumes = Array.from({ length: 10_000 }, (_, index) => `/v${index}`);
    expect(() => imageVolumes(volumes, [])).toThrow(expect.objectContaining({ code: 'ERR_LIMIT' }) as Error);
  });
});
