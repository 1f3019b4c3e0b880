import { once } from 'node:events';
import fs from 'node:fs/promises';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Program } from '../../src/linux/program.ts';
import { startRunnerOn, type Processor, type RunningProgram } from '../../src/linux/runner.ts';
import { buildChildProgram } from '../fs/child-program.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { requires } from '../support/requirements.ts';
import { PROCESSORS, THIS_MACHINE } from './processors.ts';
import { FORK, LISTENER, nodeScript, shell } from './run-program.ts';

const { signals } = constants;
const SETSID = { call: 'setsid', args: [], what: 'start a session' } as const;

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

function lineReader(stream: Readable): () => Promise<string | undefined> {
  const lines = createInterface({ input: stream })[Symbol.asyncIterator]();
  return async () => {
    const result = await lines.next();
    return result.done === true ? undefined : result.value;
  };
}

interface Started {
  running: RunningProgram;
  next: () => Promise<string | undefined>;
}

function startOn(processor: Processor, program: Program): Started {
  const running = startRunnerOn(processor, { program, runnerFolder: folder, stdio: ['pipe', 'pipe', 'inherit'] });
  return { running, next: lineReader(running.child.stdout as Readable) };
}

for (const { name, processor, needs } of PROCESSORS) {
  describe(`on ${name}`, requires(...needs), () => {
    const start = (program: Program): Started => startOn(processor, program);

    describe('RunningProgram.signal()', () => {
      it.each([0, 1, 2])('reaches the command through %i forks', async (forks) => {
        const { running, next } = start([...Array.from({ length: forks }, () => FORK), nodeScript(LISTENER)]);
        expect(await next()).toBe('ready');
        for (const name of ['SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const) {
          running.signal(signals[name]);
          expect(await next()).toBe(name);
        }
        running.signal(signals.SIGTERM);
        expect(await next()).toBe('SIGTERM');
        expect(await running.exited).toEqual({ code: 7 });
        running.signal(signals.SIGTERM); // does nothing
      });

      it('does not pass on what belongs to the waiter or to job control', async () => {
        const { running, next } = start([FORK, nodeScript(LISTENER)]);
        expect(await next()).toBe('ready');
        for (const name of ['SIGPIPE', 'SIGCHLD', 'SIGURG', 'SIGTSTP'] as const) running.signal(signals[name]);
        running.signal(signals.SIGWINCH); // of those that wait, the kernel gives the one with the lowest number first
        expect(await next()).toBe('SIGWINCH');
        running.signal(signals.SIGTERM);
        expect(await next()).toBe('SIGTERM');
        expect(await running.exited).toEqual({ code: 7 });
      });

      it('kills the command, not the waiter', async () => {
        const { running, next } = start([FORK, FORK, nodeScript(LISTENER)]);
        expect(await next()).toBe('ready');
        running.signal(signals.SIGKILL);
        expect(await running.exited).toEqual({ code: 137 });
        expect(await next()).toBeUndefined();
      });

      it('reaches a whole group where the fork says so', async () => {
        const script = 'exec 3<&0; "$0" -e "$1" <&3 & exec "$0" -e "$1"';
        const [, argv] = nodeScript(LISTENER).args as [string, { pointers: string[] }];
        const command = shell(script, process.execPath, argv.pointers[2] ?? '');
        const { running, next } = start([{ ...FORK, fork: { forward: 'group' } }, SETSID, command]);
        expect([await next(), await next()]).toEqual(['ready', 'ready']);
        running.signal(signals.SIGUSR2);
        expect([await next(), await next()]).toEqual(['SIGUSR2', 'SIGUSR2']);
        running.child.stdin?.end();
        expect(await running.exited).toEqual({ code: 99 });
      });
    });

    describe('a waiter', () => {
      it('does not pass on what the terminal sends', requires('script'), async () => {
        const program = await buildChildProgram(`
      import { startRunnerOn } from './src/linux/runner.ts';
      import { PROCESSORS, THIS_MACHINE } from './processors.ts';
import { FORK, LISTENER, nodeScript } from './test/linux/run-program.ts';
      const program = [FORK, { call: 'setsid', args: [], what: 'start a session' }, nodeScript(LISTENER)];
      const running = startRunnerOn(${JSON.stringify(processor)}, { program, runnerFolder: process.argv[2], stdio: ['inherit', 'inherit', 'inherit'] });
      process.on('SIGINT', () => running.signal(${signals.SIGUSR2}));
      process.exitCode = (await running.exited).code;`);
        onTestFinished(async () => program.remove());
        const wrapper = ['sh', '-c', 'exec script -qec "$(printf "\\"%s\\" " "$@")" /dev/null', 'sh'];
        const child = program.start({ wrapper, args: [folder] });
        const next = lineReader(child.stdout);
        expect(await next()).toBe('ready');
        child.stdin.write('\u0003'); // Ctrl-C: the terminal's group is Node and the waiter
        expect((await next())?.replace('^C', '')).toBe('SIGUSR2');
        const ended = once(child, 'close');
        child.kill('SIGTERM');
        await ended;
      });
    });

    describe('startRunner() ends the command when Node is killed', () => {
      async function startedByChild(imports: string, program: string) {
        const built = await buildChildProgram(`
      import { startRunnerOn } from './src/linux/runner.ts';
      import { FORK, shell } from './test/linux/run-program.ts';
      ${imports}
      startRunnerOn(${JSON.stringify(processor)}, { program: ${program}, runnerFolder: process.argv[2], stdio: ['ignore', 'inherit', 'inherit'] });`);
        onTestFinished(async () => built.remove());
        const child = built.start({ args: [folder] });
        return { child, next: lineReader(child.stdout) };
      }

      /** Expects that all who hold the child's standard output end, which are all that it has started. */
      async function expectAllGone(next: () => Promise<string | undefined>, pid: number): Promise<void> {
        onTestFinished(() => {
          try {
            process.kill(pid, 'SIGKILL'); // where the test has failed
          } catch {
            // ended, as it should have
          }
        });
        expect(await next()).toBeUndefined();
      }

      const command = `shell('trap "" TERM HUP INT; echo $$; exec sleep 1000')`;

      it.each([
        ['through a fork', '', `[FORK, ${command}]`],
        ['through several', '', `[FORK, FORK, FORK, ${command}]`],
        [
          'without one',
          `import { dieWithParentSteps } from './src/linux/die-with-parent.ts';`,
          `[...dieWithParentSteps(), ${command}]`,
        ],
      ])('%s', async (_title, imports, program) => {
        const { child, next } = await startedByChild(imports, program);
        const pid = Number(await next());
        expect(pid).toBeGreaterThan(1);
        child.kill('SIGKILL');
        await expectAllGone(next, pid);
      });

      it('before the fork', async () => {
        const fifo = JSON.stringify(`${folder}/fifo`);
        const { child, next } = await startedByChild(
          '',
          `[
        { call: 'mknodat', args: [-100, ${fifo}, 0o010600], what: 'make a pipe' },
        { call: 'write', args: [1, 'ready\\n', 6], what: 'say so' },
        { call: 'openat', args: [-100, ${fifo}, 0], what: 'wait for a writer' },
        FORK,
        ${command},
      ]`,
        );
        expect(await next()).toBe('ready');
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
        await (await fs.open(`${folder}/fifo`, 'w')).close();
        // The command may or may not come as far as to say its process id.
        const line = await next();
        if (line !== undefined) await expectAllGone(next, Number(line));
      });
    });
  });
}

describe('on this machine alone, RunningProgram.signal()', () => {
  it('reaches the command with real-time signals', async () => {
    const SIGRTMIN_PLUS_3 = 37; // what stops systemd
    const { running, next } = startOn(THIS_MACHINE, [FORK, nodeScript(LISTENER)]);
    expect(await next()).toBe('ready');
    running.signal(SIGRTMIN_PLUS_3);
    expect(await running.exited).toEqual({ code: 128 + SIGRTMIN_PLUS_3 });
  });
});
