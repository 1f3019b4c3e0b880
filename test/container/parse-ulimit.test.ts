import { describe, expect, it } from 'vitest';

import { UNLIMITED, parseUlimit } from '../../src/container/parse-ulimit.ts';

describe('parseUlimit()', () => {
  it.each([
    ['nofile=1024', 'NOFILE', 1024n, 1024n],
    ['nofile=1024:2048', 'NOFILE', 1024n, 2048n],
    ['core=-1', 'CORE', UNLIMITED, UNLIMITED],
    ['rttime=5:-1', 'RTTIME', 5n, UNLIMITED],
  ])('reads "%s"', (text, resource, soft, hard) => {
    expect(parseUlimit(text)).toEqual({ resource, soft, hard });
  });

  it.each([
    ['nofile', 'invalid ulimit argument: nofile'],
    ['nofile=', 'invalid ulimit argument: nofile='],
    ['nofile=1:2:3', 'invalid ulimit argument: nofile=1:2:3'],
    ['nofile=-2', 'invalid ulimit argument: nofile=-2'],
    ['nofile=1e3', 'invalid ulimit argument: nofile=1e3'],
    ['NOFILE=1', 'invalid ulimit type: NOFILE'],
    ['toString=1', 'invalid ulimit type: toString'],
    ['nofile=2:1', 'ulimit soft limit must be less than or equal to hard limit: 2 > 1'],
    ['nofile=-1:1', 'ulimit soft limit must be less than or equal to hard limit: -1 > 1'],
  ])('refuses "%s"', (text, message) => {
    expect(() => parseUlimit(text)).toThrow(expect.objectContaining({ code: 'ERR_USAGE', message }));
  });
});
