import { describe, expect, it } from 'vitest';
import { compileGlob } from '../../src/cli/go-glob.ts';

describe('compileGlob()', () => {
  it.each([
    ['busy*:*libc', 'busybox:glibc', true],
    ['busy*:*libc', 'busybox:latest', false],
    ['*', 'alpine', true],
    ['*', 'team/app', false],
    ['*/*', 'team/app', true],
    ['a?pine', 'alpine', true],
    ['a?pine', 'a/pine', false],
    ['[a-c]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['[^a-c]x', 'dx', true],
    ['a.c', 'abc', false],
    ['a+', 'a+', true],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['[\\]]', ']', true],
    ['(x|y)', 'x', false],
    ['', '', true],
    ['', 'x', false],
  ])('%j against %j: %s', (pattern, text, matches) => {
    expect(compileGlob(pattern)?.test(text)).toBe(matches);
  });

  it.each(['[', '[a', 'a\\', '[z-a]'])('refuses %j', (pattern) => {
    expect(compileGlob(pattern)).toBeUndefined();
  });
});
