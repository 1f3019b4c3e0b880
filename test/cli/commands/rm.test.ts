import { describe, expect, it } from 'vitest';
import { rmCommand } from '../../../src/cli/commands/rm.ts';
import { ToolError } from '../../../src/errors.ts';
import { fakeContext } from '../support/fake-context.ts';

async function run(...argv: string[]): Promise<[code: number, out: string, err: string]> {
  const context = fakeContext({
    removeContainer: async (name, { force }) => {
      if (name === 'nope') throw new ToolError('ERR_NO_SUCH_CONTAINER', 'No such container: nope');
      if (name === 'busy' && !force) throw new ToolError('ERR_CONFLICT', 'cannot remove container "busy"');
    },
  });
  return [await rmCommand.execute({ path: 'mydocker rm', argv }, context), context.out(), context.err()];
}

describe('rm', () => {
  it.each([
    ['echoes what was removed, as it was called', ['web', 'abc123'], [0, 'web\nabc123\n', '']],
    ['goes on after an error', ['nope', 'web'], [1, 'web\n', 'Error: No such container: nope\n']],
    ['fails for one that runs', ['busy'], [1, '', 'Error: cannot remove container "busy"\n']],
    ['removes one that runs with -f', ['-f', 'busy'], [0, 'busy\n', '']],
    ['is silent with -f about one that is not there', ['-f', 'nope'], [0, '', '']],
  ])('%s', async (_, argv, expected) => {
    expect(await run(...argv)).toEqual(expected);
  });
});
