import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { runtimeFailure } from '../../../src/container/oci-bundle/runtime-failure.ts';
import { temporaryFolder } from '../../fs/temporary-folder.ts';

async function failureFor(
  log: string | undefined,
  exitCode = 1,
): Promise<{ code: string; message: string } | undefined> {
  const path = join(await temporaryFolder(), 'log');
  if (log !== undefined) writeFileSync(path, log);
  return runtimeFailure('runc', path, exitCode);
}

const line = (msg: string, level = 'error'): string => `${JSON.stringify({ level, msg, time: 'now' })}\n`;

describe('runtimeFailure()', () => {
  it.each([
    ['ERR_COMMAND_NOT_FOUND', 'exec: "nope": executable file not found in $PATH'],
    ['ERR_COMMAND_NOT_FOUND', 'exec: "/bin/nope": stat /bin/nope: no such file or directory'],
    ['ERR_COMMAND_NOT_FOUND', 'executable file `nope` not found in $PATH: No such file or directory'],
    ['ERR_COMMAND_NOT_EXECUTABLE', 'exec: "/etc": is a directory: permission denied'],
    ['ERR_COMMAND_NOT_EXECUTABLE', 'open executable: Permission denied'],
    ['ERR_COMMAND_NOT_EXECUTABLE', 'exec /x: exec format error'],
    ['ERR_VOLUME', 'error mounting "/a" to rootfs at "/b": mount /a:/b: not a directory'],
    ['ERR_CONTAINER', 'error mounting "/a" to rootfs at "/b": no such file or directory'],
    ['ERR_CONTAINER', 'unable to apply cgroup configuration: permission denied'],
  ])('is %s for %s', async (code, message) => {
    expect(await failureFor(line(message))).toMatchObject({
      code,
      message: `Cannot run the container with runc: ${message}`,
    });
  });

  it('takes the last error, and nothing for one that is none', async () => {
    const log = `${line('first')}${line('last')}${line('after', 'warning')}junk\n[1]\nnull\n{"level":"error"}\n`;
    expect((await failureFor(log))?.message).toBe('Cannot run the container with runc: last');
    expect(await failureFor(line('warned', 'warning'))).toBeUndefined();
    expect(await failureFor('')).toBeUndefined();
    expect(await failureFor(undefined)).toBeUndefined();
  });

  it('leaves exit codes alone that no runtime fails with', async () => {
    for (const code of [0, 2, 42, 137, 143]) expect(await failureFor(line('late'), code)).toBeUndefined();
  });

  it('quotes so much of a long message, and nothing that a terminal obeys', async () => {
    const { message = '' } = (await failureFor(line(`\u001b]0;x\u0007${'a'.repeat(5000)}`))) ?? {};
    expect(message).toMatch(/^Cannot run the container with runc: \\x1b\]0;x\\x07aaa/);
    expect(message.length).toBeLessThan(1100);
  });
});
