import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { DEFAULT_SECURITY } from '../../src/container/parse-security.ts';
import { machineOf } from '../../src/linux/machine.ts';
import { syscallTable } from '../../src/linux/seccomp/syscall-tables.ts';
import { requires } from '../support/requirements.ts';
import { createBox, layBusybox } from './support/box.ts';
import type { Box, RunOptions } from './support/box.ts';
import { buildProbe } from './support/build-probe.ts';
import { CALLERS } from './support/callers.ts';
import { DEFAULT_ANSWERS, askForAnswers } from './support/default-answers.ts';

for (const { caller, needs } of CALLERS) {
  const probed = { ...needs, ...requires('cc') };
  describe(`filter of system calls as ${caller}`, probed, () => {
    let box: Box;
    beforeAll(() => {
      box = createBox(caller, [layBusybox, buildProbe]);
    });
    afterAll(() => box.remove());

    const statusOf = async (options: RunOptions): Promise<string[]> => {
      const { stdout } = await box.run(['grep', '-E', 'NoNewPrivs|Seccomp:', '/proc/self/status'], { options });
      return stdout
        .trim()
        .split('\n')
        .map((line) => line.replace(/\s+/, ' '));
    };

    it('X03 is on by default', async () => {
      expect(await statusOf({})).toEqual(['NoNewPrivs: 0', 'Seccomp: 2']);
    });

    it('threat C7 C8 X20 X21 answers as the default profile of docker says', async () => {
      expect(await askForAnswers(box)).toEqual(DEFAULT_ANSWERS);
    });

    it('holds for a user of the image, and is passed on to all processes', async () => {
      const options = { user: 'bob' };
      if (caller === 'single') return; // has no other user
      const { stdout } = await box.run(['sh', '-c', 'sh -c "unshare -U true; grep Seccomp: /proc/self/status" 2>&1'], {
        options,
      });
      expect(stdout).toMatch(/Operation not permitted[^]*Seccomp:\s+2\n/);
    });

    it('is off with seccomp=unconfined', async () => {
      const options = { security: { ...DEFAULT_SECURITY, seccomp: 'unconfined' } } as const;
      expect(await statusOf(options)).toEqual(['NoNewPrivs: 0', 'Seccomp: 0']);
    });

    it('comes with no-new-privileges, last of all', async () => {
      expect(await statusOf({ security: { ...DEFAULT_SECURITY, noNewPrivileges: true } })).toEqual([
        'NoNewPrivs: 1',
        'Seccomp: 2',
      ]);
    });

    it("is the user's own with seccomp=<file>", async () => {
      const path = join(box.folder, 'profile.json');
      const rule = { names: ['getpriority'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 };
      writeFileSync(path, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', archMap: [], syscalls: [rule] }));
      const options = { security: { ...DEFAULT_SECURITY, seccomp: { path } } };
      const { stdout } = await box.run(
        ['/probe', 'call', String(syscallTable(machineOf(process.arch)).get('getpriority'))],
        { options },
      );
      expect(stdout).toBe('ENOSPC\n');
    });

    it('that cannot be read stops the run', async () => {
      const options = { security: { ...DEFAULT_SECURITY, seccomp: { path: join(box.folder, 'none.json') } } };
      const { failure } = await box.run(['true'], { options });
      expect(failure).toMatchObject({
        code: 'ERR_USAGE',
        message: expect.stringMatching(/no such file or directory$/) as string,
      });
    });
  });
}
