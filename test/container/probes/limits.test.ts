import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { listContainers } from '../../../src/container/list-containers.ts';
import { reapContainers } from '../../../src/container/reap-containers.ts';
import { lockFile } from '../../../src/fs/kernel-lock.ts';
import { requires } from '../../support/requirements.ts';
import type { RunOptions } from '../support/box.ts';
import { describeProbed } from '../support/probed-containers.ts';

const MB = 2 ** 20;

describeProbed('what a container may use up', (probed) => {
  const { caller, lines } = probed;

  it('threat C11 X29 are as many files as its limit says', async () => {
    expect(await lines(['open', '1000000'], { options: { ulimits: ['nofile=1000:4000'] } })).toEqual(['opened: 3997']);
    const [byDefault = ''] = await lines(['open', '1000000']);
    expect(Number(byDefault.split(' ')[1])).toBeLessThan(524_288);
  });

  it('threat C11 X29 is as much memory as its limit says', async () => {
    expect(await lines(['memory', '10240'], { options: { ulimits: [`as=${256 * MB}`] } })).toEqual(['memory: ENOMEM']);
  });

  // Root of the host is not counted: for that there are control groups, below.
  if (caller !== 'root')
    it('threat C11 X29 are as many processes as its limit says', async () => {
      const [line = ''] = await lines(['fork', '10000'], { options: { ulimits: ['nproc=64'] } });
      expect(Number(/^forks: (\d+)$/.exec(line)?.[1])).toBeLessThan(64);
    });

  if (caller === 'root')
    describe('with control groups', requires('control-groups'), () => {
      it('threat C11 X29 are as many processes, and as much memory, as its limits say', async () => {
        expect(await lines(['fork', '10000'], { options: { limits: { pids: 200 } } })).toEqual([
          expect.stringMatching(/^forks: 19[0-9]$/), // the container's waiter counts as well
        ]);
        const limits = { memory: 64 * MB, pids: 200 };
        const { exitCode, isOutOfMemory } = await probed.box.run(['/probe', 'memory', '10240'], {
          options: { limits },
        });
        expect([exitCode, isOutOfMemory]).toEqual([137, true]);
      });
    });
});

describeProbed('what is left of a container whose command line is killed', (probed) => {
  it.each([
    ['', {}],
    [' with an init', { init: true }],
    [' with a terminal', { terminal: true }],
    [' without the filter', { security: { seccomp: 'unconfined', noNewPrivileges: false, systemPaths: 'protected' } }],
    [' with mounts', { volumes: ['./v:/v'], tmpfs: ['/t'], autoRemove: true }],
  ] as [string, RunOptions][])(
    'threat C13 X31 is no process, whatever it has done to stay, and no mount%s',
    async (_with, options) => {
      const { box } = probed;
      const marker = `marker-${process.pid}-${Date.now()}`;
      const run = box.start(['/probe', 'daemon', marker], { options });
      await Promise.all([run.printed('ready'), run.started]);
      const { id } = await run.started;
      expect(processesWith(marker).length).toBeGreaterThanOrEqual(4);
      run.supervisor.kill('SIGKILL');
      await expect.poll(() => processesWith(marker), { timeout: 5000 }).toEqual([]);
      (await lockFile(join(box.paths.containers, id, 'lock'), 'exclusive')).release(); // the waiter has ended
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(box.folder);

      // The next command finds it dead, or removes it if it was to be removed.
      const reaped = await reapContainers({ paths: box.paths, ownership: { kind: 'root' } });
      const status = listContainers(box.paths.containers).find((container) => container.id === id)?.status;
      expect([reaped.includes(id), status]).toEqual(options.autoRemove === true ? [true, undefined] : [false, 'dead']);
      expect(readdirSync(box.paths.trash)).toEqual([]);
    },
  );
});

function processesWith(marker: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(`/probe\0daemon\0${marker}`);
      } catch {
        return false; // ended meanwhile
      }
    });
}
