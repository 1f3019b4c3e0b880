import { describe, expect, it } from 'vitest';

import { parseDetachKeys } from '../../../src/container/session/detach-keys.ts';
import type { ToolError } from '../../../src/errors.ts';

describe('parseDetachKeys()', () => {
  it.each([
    ['ctrl-p,ctrl-q', [16, 17]],
    ['ctrl-a', [1]],
    ['ctrl-z', [26]],
    ['ctrl-@', [0]],
    ['ctrl-[', [27]],
    ['ctrl-\\', [28]],
    ['ctrl-]', [29]],
    ['ctrl-^', [30]],
    ['ctrl-_', [31]],
    ['a', [97]],
    ['X,~,.', [88, 126, 46]],
    ['-', [45]],
    ['DEL', [127]],
    ['ctrl-x,d,DEL', [24, 100, 127]],
  ])('reads %s', (text, bytes) => {
    expect([...parseDetachKeys(text)]).toEqual(bytes);
  });

  it.each([
    ['shift-b', 'shift-b'],
    ['ctrl-p,shift-b', 'shift-b'],
    ['ctrl-A', 'ctrl-A'],
    ['ctrl-1', 'ctrl-1'],
    ['ctrl-', 'ctrl-'],
    ['ctrl-ab', 'ctrl-ab'],
    ['ctrl-p,', ''],
    [',', ''],
    ['del', 'del'],
    ['é', 'é'],
    ['ctrl-p, ctrl-q', ' ctrl-q'],
  ])('refuses %s in docker’s words', (text, unknown) => {
    expect(() => parseDetachKeys(text)).toThrow(
      expect.objectContaining({
        code: 'ERR_USAGE',
        message: `invalid detach keys (${text}): unknown character: '${unknown}'`,
      }) as ToolError,
    );
  });

  it('shows no control characters', () => {
    expect(() => parseDetachKeys('\x1b[2J')).toThrow("invalid detach keys (\\x1b[2J): unknown character: '\\x1b[2J'");
  });
});
