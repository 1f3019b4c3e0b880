import { describe, expect, it, vi } from 'vitest';
import { killCommand } from '../../../src/cli/commands/kill.ts';
import { stopCommand } from '../../../src/cli/commands/stop.ts';
import { ToolError } from '../../../src/errors.ts';
import { fakeContext } from '../support/fake-context.ts';

async function act(name: string): Promise<void> {
  if (name === 'nope') throw new ToolError('ERR_NO_SUCH_CONTAINER', 'No such container: nope');
}

describe('stop', () => {
  it.each([
    [['web'], { signalName: undefined, timeout: undefined }],
    [['-t', '3', 'web'], { signalName: undefined, timeout: 3 }],
    [['--timeout', '-1', 'web'], { signalName: undefined, timeout: -1 }],
    [['--time=0', '-s', 'INT', 'web'], { signalName: 'INT', timeout: 0 }],
  ])('reads %j', async (argv, expected) => {
    const stopContainer = vi.fn(act);
    const context = fakeContext({ stopContainer });
    expect(await stopCommand.execute({ path: 'mydocker stop', argv }, context)).toBe(0);
    expect(stopContainer).toHaveBeenCalledExactlyOnceWith('web', expect.objectContaining(expected));
    expect(context.out()).toBe('web\n');
  });

  it('goes on after an error', async () => {
    const context = fakeContext({ stopContainer: act });
    expect(await stopCommand.execute({ path: 'mydocker stop', argv: ['nope', 'web'] }, context)).toBe(1);
    expect([context.out(), context.err()]).toEqual(['web\n', 'Error: No such container: nope\n']);
  });

  it('takes no time before -1', async () => {
    const stopping = stopCommand.execute({ path: 'mydocker stop', argv: ['-t', '-2', 'web'] }, fakeContext());
    await expect(stopping).rejects.toThrow('must be -1 or more');
  });
});

describe('kill', () => {
  it.each([
    [['web'], undefined],
    [['-s', 'HUP', 'web'], 'HUP'],
    [['--signal=9', 'web'], '9'],
  ])('reads %j', async (argv, signalName) => {
    const killContainer = vi.fn(act);
    const context = fakeContext({ killContainer });
    expect(await killCommand.execute({ path: 'mydocker kill', argv }, context)).toBe(0);
    expect(killContainer).toHaveBeenCalledExactlyOnceWith('web', expect.objectContaining({ signalName }));
    expect(context.out()).toBe('web\n');
  });
});
