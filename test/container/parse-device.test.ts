import { describe, expect, it } from 'vitest';

import { parseDevice } from '../../src/container/parse-device.ts';

describe('parseDevice()', () => {
  it.each([
    ['/dev/fuse', '/dev/fuse', '/dev/fuse'],
    ['/dev/fuse:/dev/other', '/dev/fuse', '/dev/other'],
    ['/dev/fuse:rw', '/dev/fuse', '/dev/fuse'],
    ['/dev/fuse:/dev/../dev/other/:rwm', '/dev/fuse', '/dev/other'],
  ])('reads "%s"', (text, source, target) => expect(parseDevice(text)).toEqual({ source, target }));

  it.each([
    ['fuse', 'absolute paths'],
    ['/dev/fuse:r', 'access "r" cannot be enforced'],
    ['/dev/fuse:/dev/x:wm', 'access "wm" cannot be enforced'],
    ['/dev/fuse:/a:/b', 'was wanted'],
    ['/dev/fuse:x', 'must be absolute'],
    ['/dev/fuse:/proc/x', 'inside /proc'],
    ['', 'absolute paths'],
  ])('refuses "%s"', (text, reason) => expect(() => parseDevice(text)).toThrow(reason));
});
