import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { describe, expect, it } from 'vitest';

import { hasEnded, isAbandoned, processMark, temporaryPrefix } from '../../src/linux/process-mark.ts';
import { processStartTime } from '../../src/linux/process-start-time.ts';

describe('hasEnded()', () => {
  it('is false for this process, and fits into a file name', () => {
    expect(hasEnded(processMark())).toBe(false);
    expect(temporaryPrefix()).toMatch(/^\.tmp-[\d-]+-$/);
    expect(isAbandoned(`${temporaryPrefix()}Ab3`)).toBe(false);
  });

  it('is true as soon as the process has gone', async () => {
    const child = spawn('sleep', ['1000']);
    const { pid = 0 } = child;
    const [, , namespace] = processMark().split('-');
    const mark = [pid, processStartTime(pid), namespace].join('-');
    expect(hasEnded(mark)).toBe(false);
    child.kill();
    await once(child, 'exit');
    expect(hasEnded(mark)).toBe(true);
    expect(isAbandoned(`.tmp-${mark}-x`)).toBe(true);
  });

  it('E5 takes another process that got the same id for another one', () => {
    expect(hasEnded(processMark().replace(/-\d+-/, '-1-'))).toBe(true);
  });

  it.each(['', 'x', '1-2', '2147483647-1-1'])('is false where nobody can tell: %j', (mark) => {
    expect(hasEnded(mark)).toBe(false);
    expect(isAbandoned(`.tmp-${mark}-x`)).toBe(false);
  });
});
