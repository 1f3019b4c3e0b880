import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { listContainers } from '../../src/container/list-containers.ts';
import { reapContainers } from '../../src/container/reap-containers.ts';
import { readState } from '../../src/container/container-record.ts';
import { removeContainer } from '../../src/container/remove-container.ts';
import { lockFile } from '../../src/fs/kernel-lock.ts';
import { createBox } from './support/box.ts';
import type { Box, Run, RunOptions } from './support/box.ts';
import { CALLERS } from './support/callers.ts';
import { processesWith } from './support/processes.ts';

const ROOT = { kind: 'root' } as const;

for (const { caller, needs } of CALLERS) {
  describe(`runContainer() signals as ${caller}`, needs, () => {
    let box: Box;
    beforeAll(() => {
      box = createBox(caller);
    });
    afterAll(() => box.remove());

    /** A container whose process 1 runs `first`, says "ready", and then runs `second`. */
    async function startReady(first: string, second = 'sleep 1000 & wait', options: RunOptions = {}): Promise<Run> {
      const run = box.start(['sh', '-c', `${first}\necho ready\n${second}`], { options });
      await run.printed('ready');
      await run.started;
      return run;
    }

    it.for(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1'] as const)('passes %s on', async (signal) => {
      const run = await startReady(`trap 'echo got it; exit 42' ${signal.slice(3)}`);
      run.supervisor.kill(signal);
      expect(await run.outcome).toMatchObject({ stdout: 'ready\ngot it\n', exitCode: 42 });
    });

    it('is not reached by signals to the process group of its caller, which would come twice', async () => {
      const run = await startReady('true');
      const { id } = await run.started;
      const sessions = [run.supervisor.pid, readState(box.paths.containers, id).waiter?.pid].map(sessionOf);
      expect(sessions[0]).not.toBe(sessions[1]);
      run.supervisor.kill('SIGKILL');
      await ended(box, id);
    });

    it('kills a command that does not react at the third request, and answers 128 + 9', async () => {
      const run = await startReady(
        "trap 'echo INT' INT; trap 'echo TERM' TERM; trap 'echo HUP' HUP",
        'while :; do sleep 0.01; done',
      );
      for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) {
        run.supervisor.kill(signal);
        await run.printed(signal.slice(3));
      }
      run.supervisor.kill('SIGTERM');
      expect(await run.outcome).toMatchObject({ stdout: 'ready\nINT\nHUP\nTERM\n', exitCode: 137 });
    });

    it('with a terminal passes signals on to the whole process group', async () => {
      // The shell's handler runs when its foreground command has ended, which only a signal of its own brings about.
      const script = "trap 'echo interrupted; exit 9' INT\nsh -c 'echo ready; exec sleep 1000'";
      const run = box.start(['sh', '-c', script], { options: { terminal: true } });
      await Promise.all([run.printed('ready'), run.started]);
      run.supervisor.kill('SIGINT');
      expect(await run.outcome).toMatchObject({ stdout: 'ready\r\ninterrupted\r\n', exitCode: 9 });
    });

    it('with a terminal tells the command when the input ends, and shows what it says after that', async () => {
      const run = box.start(['sh', '-c', 'cat > /dev/null; echo after; exit 5'], {
        stdin: 'pipe',
        options: { terminal: true },
      });
      await run.started;
      run.supervisor.stdin?.end('typed\n');
      expect(await run.outcome).toMatchObject({ stdout: expect.stringMatching(/after\r\n$/) as string, exitCode: 5 });
    });

    it('threat C13 X31 leaves no process when its own is killed, and a record that says dead', async () => {
      const marker = `7${Date.now()}`;
      const run = await startReady(`sleep ${marker} & setsid sleep ${marker} &`);
      const { id } = await run.started;
      run.supervisor.kill('SIGKILL');
      await ended(box, id);
      expect(processesWith(marker)).toEqual([]);
      expect(statusOf(box, id)).toBe('dead');
    });

    it('ends the container when the waiter is killed', async () => {
      const run = await startReady('true');
      const { id } = await run.started;
      process.kill(readState(box.paths.containers, id).waiter?.pid ?? 0, 'SIGKILL');
      expect(await run.outcome).toMatchObject({ exitCode: 137 });
    });

    it('is removed by force, from another process, while it runs', async () => {
      const run = await startReady('true', undefined, { name: 'stubborn' });
      const request = { paths: box.paths, container: 'stubborn', ownership: ROOT };
      await expect(removeContainer({ ...request, force: false })).rejects.toMatchObject({
        code: 'ERR_CONFLICT',
        message: expect.stringContaining('container is running') as string,
      });
      const { id } = await run.started;
      expect(await removeContainer({ ...request, force: true })).toBe(id);
      expect(await run.outcome).toMatchObject({ exitCode: 137 });
      expect(statusOf(box, id)).toBeUndefined();
      expect(readdirSync(box.paths.trash)).toEqual([]);
    });

    it('is reaped later if it was to be removed and its supervisor was killed', async () => {
      const run = await startReady('true', undefined, { autoRemove: true, name: 'reaped' });
      const { id } = await run.started;
      const reap = { paths: box.paths, ownership: ROOT };
      expect(await reapContainers(reap)).not.toContain(id);
      run.supervisor.kill('SIGKILL');
      await ended(box, id);
      expect(await reapContainers(reap)).toContain(id);
      expect(statusOf(box, id)).toBeUndefined();
      expect((await box.run(['true'], { options: { name: 'reaped' } })).exitCode).toBe(0);
    });
  });
}

/** Waits until nobody holds the container's lock, which its waiter does to the last. */
async function ended(box: Box, id: string): Promise<void> {
  (await lockFile(join(box.paths.containers, id, 'lock'), 'exclusive')).release();
}

function statusOf(box: Box, id: string): string | undefined {
  return listContainers(box.paths.containers).find((container) => container.id === id)?.status;
}

/** Source: proc_pid_stat(5), field 6. */
function sessionOf(pid: number | undefined): string | undefined {
  return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[3];
}
