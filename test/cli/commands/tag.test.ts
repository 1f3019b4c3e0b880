import { describe, expect, it, vi } from 'vitest';
import { tagCommand } from '../../../src/cli/commands/tag.ts';
import type { EngineApi } from '../../../src/cli/engine-api.ts';
import { fakeContext } from '../support/fake-context.ts';

const ANY_SIGNAL: unknown = expect.any(AbortSignal);

describe('tag', () => {
  it('hands on what was asked for, and prints nothing', async () => {
    const tag = vi.fn<EngineApi['tag']>();
    const context = fakeContext({ tag });
    const argv = ['--home', '/x', 'alpine', 'mine:v1'];
    expect(await tagCommand.execute({ path: 'mydocker tag', argv }, context)).toBe(0);
    expect(tag.mock.calls).toEqual([['alpine', 'mine:v1', { home: '/x', signal: ANY_SIGNAL }]]);
    expect(context.out() + context.err()).toBe('');
  });

  it.each([[[]], [['alpine']], [['a', 'b', 'c']]])('refuses %j', async (argv) => {
    const running = tagCommand.execute({ path: 'mydocker tag', argv }, fakeContext());
    await expect(running).rejects.toThrow("mydocker: 'mydocker tag' requires 2 arguments");
  });
});
