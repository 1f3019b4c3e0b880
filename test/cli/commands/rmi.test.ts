import { describe, expect, it, vi } from 'vitest';
import { rmiCommand } from '../../../src/cli/commands/rmi.ts';
import type { EngineApi } from '../../../src/cli/engine-api.ts';
import { ToolError } from '../../../src/errors.ts';
import { fakeContext } from '../support/fake-context.ts';
import { digest } from '../support/images.ts';

const removeImage: EngineApi['removeImage'] = async (name) => {
  if (name === 'nope') throw new ToolError('ERR_NO_SUCH_IMAGE', 'No such image: nope:latest');
  if (name === 'used') throw new ToolError('ERR_CONFLICT', 'conflict: unable to delete', { hint: 'Remove it first.' });
  return [
    { kind: 'untagged', reference: `${name}:latest` },
    { kind: 'deleted', digest: digest('a') },
  ];
};

async function run(...argv: string[]): Promise<[code: number, out: string, err: string]> {
  const context = fakeContext({ removeImage });
  return [await rmiCommand.execute({ path: 'mydocker rmi', argv }, context), context.out(), context.err()];
}

const REMOVED = `Untagged: alpine:latest\nDeleted: ${digest('a')}\n`;

describe('rmi', () => {
  it.each([
    ['prints what was untagged and deleted', ['alpine'], [0, REMOVED, '']],
    ['goes on after an error', ['nope', 'alpine'], [1, REMOVED, 'Error: No such image: nope:latest\n']],
    [
      'tells all errors',
      ['nope', 'used'],
      [1, '', 'Error: No such image: nope:latest\nError: conflict: unable to delete\nRemove it first.\n'],
    ],
    [
      'succeeds with -f if an image is not there',
      ['-f', 'nope', 'alpine'],
      [0, REMOVED, 'Error: No such image: nope:latest\n'],
    ],
    [
      'fails with -f for another reason',
      ['-f', 'used'],
      [1, '', 'Error: conflict: unable to delete\nRemove it first.\n'],
    ],
  ])('%s', async (_, argv, expected) => {
    expect(await run(...argv)).toEqual(expected);
  });

  it('needs an image', async () => {
    await expect(run()).rejects.toThrow("mydocker: 'mydocker rmi' requires at least 1 argument");
  });

  it('stops at Ctrl-C, with exit code 130 and without a word', async () => {
    const context = fakeContext({
      removeImage: async (_, { signal }) => {
        context.signals.emit('SIGINT', 'SIGINT', 2);
        signal?.throwIfAborted();
        return [];
      },
    });
    expect(await rmiCommand.execute({ path: 'mydocker rmi', argv: ['a', 'b'] }, context)).toBe(130);
    expect(context.out() + context.err()).toBe('');
  });

  it('passes --force and the store on', async () => {
    const spy = vi.fn(removeImage);
    await rmiCommand.execute(
      { path: 'mydocker rmi', argv: ['--force', '--home=/x', 'alpine'] },
      fakeContext({ removeImage: spy }),
    );
    const signal: unknown = expect.any(AbortSignal);
    expect(spy.mock.calls[0]).toEqual(['alpine', { home: '/x', force: true, signal }]);
  });
});
