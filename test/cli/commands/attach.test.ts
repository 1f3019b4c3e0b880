import { describe, expect, it, vi } from 'vitest';
import { CliError } from '../../../src/cli/cli-error.ts';
import { attachCommand } from '../../../src/cli/commands/attach.ts';
import type { Context } from '../../../src/cli/context.ts';
import type { EngineApi } from '../../../src/cli/engine-api.ts';
import { fakeContext } from '../support/fake-context.ts';

const ENDED = { containerId: 'a', exitCode: 3, isOutOfMemory: false };

async function attach(
  argv: string[],
  { end = ENDED, ...options }: Partial<Context> & { end?: Awaited<ReturnType<EngineApi['attach']>> } = {},
) {
  const operation = vi.fn<EngineApi['attach']>(async () => end);
  const context = fakeContext({ attach: operation }, { stdinIsTerminal: () => true, ...options });
  const code = attachCommand.execute({ path: 'mydocker attach', argv }, context);
  await code.catch(() => undefined);
  return { code, context, call: operation.mock.calls[0] };
}

describe('attach', () => {
  it('ends with what the command ends with', async () => {
    const { code, call, context } = await attach(['web'], { home: '/store' });
    expect(await code).toBe(3);
    expect(call).toMatchObject(['web', { home: '/store', detachKeys: Uint8Array.of(16, 17) }]);
    expect(call?.[1].terminal.input).toBeDefined();
    expect([context.out(), context.err()]).toEqual(['', '']);
  });

  it('says that the detach keys were typed, and fails, as docker does', async () => {
    const { code } = await attach(['--detach-keys', 'ctrl-a', 'web'], { end: 'detached' });
    await expect(code).rejects.toEqual(new CliError('read escape sequence'));
  });

  it.each([
    [
      ['--detach-keys', 'ctrl-a,b'],
      [1, 98],
    ],
    [['--detach-keys='], [16, 17]],
  ])('takes %s', async (flags, keys) => {
    expect([...((await attach([...flags, 'web'])).call?.[1].detachKeys ?? [])]).toEqual(keys);
  });

  it('takes no input with --no-stdin, and needs no terminal then', async () => {
    const { code, call } = await attach(['--no-stdin', '--sig-proxy=false', 'web'], { stdinIsTerminal: () => false });
    expect(await code).toBe(3);
    expect(call?.[1].terminal.input).toBeUndefined();
  });

  it('refuses to type where there is no terminal', async () => {
    const { code, call } = await attach(['web'], { stdinIsTerminal: () => false });
    await expect(code).rejects.toThrow(
      'cannot attach stdin to a TTY-enabled container because stdin is not a terminal',
    );
    expect(call).toBeUndefined();
  });

  it('refuses what are no keys', async () => {
    await expect((await attach(['--detach-keys', 'shift-b', 'web'])).code).rejects.toThrow(
      "invalid detach keys (shift-b): unknown character: 'shift-b'",
    );
  });

  it('says when the kernel has ended it for want of memory', async () => {
    const { code, context } = await attach(['web'], { end: { containerId: 'a', exitCode: 137, isOutOfMemory: true } });
    expect(await code).toBe(137);
    expect(context.err()).toContain('oom_kill');
  });
});
