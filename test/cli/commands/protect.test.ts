import { describe, expect, it, vi } from 'vitest';
import { protectCommand, unprotectCommand } from '../../../src/cli/commands/protect.ts';
import type { EngineApi } from '../../../src/cli/engine-api.ts';
import { ToolError } from '../../../src/errors.ts';
import { fakeContext } from '../support/fake-context.ts';

const ANY_SIGNAL: unknown = expect.any(AbortSignal);

describe.each([
  ['protect', protectCommand],
  ['unprotect', unprotectCommand],
] as const)('image %s', (word, command) => {
  const path = `mydocker image ${word}`;

  it('repeats each argument, goes on after an error, and tells it at the end', async () => {
    const operation = vi.fn<EngineApi['protect']>(async (name) => {
      if (name === 'nope') throw new ToolError('ERR_NO_SUCH_IMAGE', 'No such image: nope:latest');
    });
    const context = fakeContext({ [word]: operation }, { home: '/x' });
    expect(await command.execute({ path, argv: ['nope', 'alpine'] }, context)).toBe(1);
    expect([context.out(), context.err()]).toEqual(['alpine\n', 'Error: No such image: nope:latest\n']);
    expect(operation.mock.calls[1]).toEqual(['alpine', { home: '/x', signal: ANY_SIGNAL }]);
  });

  it('needs an image', async () => {
    await expect(command.execute({ path, argv: [] }, fakeContext())).rejects.toThrow('requires at least 1 argument');
  });
});
