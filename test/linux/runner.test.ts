import { readdirSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { CLONE } from '../../src/linux/process-flags.ts';
import type { Program, Step } from '../../src/linux/program.ts';
import { startRunner, startRunnerOn } from '../../src/linux/runner.ts';
import { StepError } from '../../src/linux/step-error.ts';
import { buildChildProgram } from '../fs/child-program.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { requires } from '../support/requirements.ts';
import { PROCESSORS } from './processors.ts';
import { FORK, runProgram, shell, type Outcome, type RunOptions } from './run-program.ts';

const AT_FDCWD = -100;
const [O_WRONLY, O_CREAT] = [1, 0o100];

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

function execve(path: string, more: Partial<Step> = {}): Step {
  return { call: 'execve', args: [path, { pointers: [path] }, { pointers: [] }], what: `start "${path}"`, ...more };
}

for (const { name, processor, needs } of PROCESSORS) {
  describe(`on ${name}`, requires(...needs), () => {
    const run = async (program: Program, options: RunOptions = {}): Promise<Outcome> =>
      runProgram(folder, program, { processor, ...options });

    describe('startRunner() ends', () => {
      it('with the exit status of the command', async () => {
        expect(await run([shell('exit 3')])).toMatchObject({ code: 3, error: undefined });
      });

      it('with the exit status of a forked command', async () => {
        expect(await run([FORK, shell('exit 255')])).toMatchObject({ code: 255, error: undefined });
      });

      it.each([FORK, undefined])('with 128 and the signal that ended the command (%o)', async (fork) => {
        const program = fork === undefined ? [] : [fork];
        expect(await run([...program, shell('kill -SEGV $$')])).toMatchObject({ code: 139 });
        expect(await run([...program, shell('kill -KILL $$')])).toMatchObject({ code: 137 });
      });

      it('through all forks', async () => {
        expect(await run([FORK, FORK, FORK, shell('exit 42')])).toMatchObject({
          code: 42,
          error: undefined,
        });
      });

      it('with 0 when no step becomes a command', async () => {
        expect(await run([{ call: 'getpid', args: [], what: 'look' }])).toMatchObject({
          code: 0,
          error: undefined,
        });
      });
    });

    describe('startRunner() starts', () => {
      it('the command with exactly these arguments', async () => {
        const { stdout } = await run([shell('printf "%s|" "$0" "$@"', '', 'a b', 'ü\n', '-')]);
        expect(Buffer.from(stdout, 'latin1').toString()).toBe('|a b|ü\n|-|');
      });

      it('the command with exactly this environment', async () => {
        const environment = { pointers: ['B=2', 'A=', Buffer.from([0x43, 0x3d, 0xff])] };
        const program: Step[] = [
          { call: 'execve', args: ['/usr/bin/env', { pointers: ['env', '-0'] }, environment], what: 'start' },
        ];
        expect((await run(program)).stdout).toBe('B=2\0A=\0C=\xff\0');
      });

      it('a program that no pipe holds at once', async () => {
        const environment = Array.from({ length: 16 }, (_, index) => `V${index}=${'x'.repeat(100_000)}`);
        const program: Step[] = [
          FORK,
          {
            call: 'execve',
            args: ['/bin/sh', { pointers: ['sh', '-c', 'echo ${#V0} ${#V15}'] }, { pointers: environment }],
            what: 'start',
          },
        ];
        expect(await run(program)).toMatchObject({ stdout: '100000 100000\n', error: undefined });
      });

      it('with descriptors 0 to 2 and no other', async () => {
        // 3 is the folder that is being listed.
        expect(await run([FORK, shell('exec ls /proc/self/fd')])).toMatchObject({ stdout: '0\n1\n2\n3\n' });
      });

      it('without the descriptors that a shell has left open in Node', async () => {
        const program = await buildChildProgram(`
      import { FORK, runProgram, shell } from './test/linux/run-program.ts';
      const list = shell('exec ls /proc/self/fd');
      console.log((await runProgram(process.argv[2], [FORK, list], { processor: ${JSON.stringify(processor)} })).stdout);`);
        onTestFinished(async () => program.remove());
        const wrapper = ['bash', '--norc', '-c', 'exec 50</etc/passwd; exec "$@"', 'bash']; // Node itself takes care of the first 16
        const { stdout, stderr } = await program.run({ wrapper, args: [folder] });
        expect([stdout, stderr]).toEqual(['0\n1\n2\n3\n\n', '']);
      });

      it('with the descriptors that the caller lists', async () => {
        const file = await fs.open(join(folder, 'file'), 'w');
        try {
          await run([FORK, shell('echo hello >&4')], {
            stdio: ['ignore', 'pipe', 'inherit', 'ignore', file.fd],
          });
        } finally {
          await file.close();
        }
        expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('hello\n');
      });

      it('with no signal blocked or ignored', async () => {
        const { stdout } = await run([FORK, FORK, shell('exec grep -E "^Sig(Blk|Ign)" /proc/self/status')]);
        expect(stdout).toBe('SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n');
      });

      it('tells the process id of the command as Node sees it', async () => {
        const running = startRunnerOn(processor, {
          program: [FORK, FORK, shell('exec cat')],
          runnerFolder: folder,
          stdio: ['pipe', 'ignore', 'inherit'],
        });
        const { pid } = await running.started;
        expect(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]).toBe(String(running.pid));
        running.child.stdin?.end();
        expect(await running.exited).toEqual({ code: 0 });
      });
    });

    describe('startRunner() rejects started', () => {
      const failing: Step = { call: 'mkdirat', args: [AT_FDCWD, '/proc/none', 0o700], what: 'make a folder' };

      it.each([0, 1, 3])('with the step that failed, after %i forks', async (forks) => {
        const program = [...Array.from({ length: forks }, () => FORK), failing, shell('echo no')];
        const { error, stdout, code } = await run(program);
        expect(error).toBeInstanceOf(StepError);
        expect(error).toMatchObject({ step: forks, what: 'make a folder', call: 'mkdirat', code: 'ENOENT', errno: 2 });
        expect(error?.message).toBe('Cannot make a folder: no such file or directory');
        expect(stdout).toBe('');
        expect(code).not.toBe(0);
      });

      it('with the step whose result is too small', async () => {
        const read: Step = { call: 'read', args: [0, Buffer.alloc(1), 1], atLeast: 1, what: 'read a byte' };
        const { error } = await run([read]);
        expect(error).toMatchObject({ step: 0, code: undefined, errno: 0 });
      });

      it('with the command that cannot be executed', async () => {
        await fs.writeFile(join(folder, 'text'), 'x', { mode: 0o700 });
        expect((await run([FORK, execve('/no/such')])).error).toMatchObject({ step: 1, code: 'ENOENT' });
        expect((await run([FORK, execve(folder)])).error).toMatchObject({ step: 1, code: 'EACCES' });
        expect((await run([FORK, execve(join(folder, 'text'))])).error).toMatchObject({ code: 'ENOEXEC' });
      });

      it('with the reason of an abort, and kills what there is', async () => {
        const abort = new AbortController();
        const fifo = join(folder, 'fifo'); // nobody writes to it
        const program: Step[] = [
          { call: 'mknodat', args: [AT_FDCWD, fifo, 0o010600], what: 'make a pipe' },
          FORK,
          { call: 'openat', args: [AT_FDCWD, fifo, 0], what: 'wait' },
        ];
        const running = startRunnerOn(processor, {
          program,
          runnerFolder: folder,
          stdio: ['ignore', 'ignore', 'ignore'],
          signal: abort.signal,
        });
        abort.abort(new Error('enough'));
        await expect(running.started).rejects.toThrow('enough');
        expect(await running.exited).toEqual({ code: 137 });
      });

      it('by throwing, when the signal is already aborted', () => {
        const signal = AbortSignal.abort(new Error('enough'));
        expect(() =>
          startRunnerOn(processor, {
            program: [shell('')],
            runnerFolder: folder,
            stdio: ['ignore', 'ignore', 'ignore'],
            signal,
          }),
        ).toThrow('enough');
      });
    });

    describe('Step', () => {
      it('ignore goes on with the next step after these errors only', async () => {
        const candidates = [
          execve('/no/such', { ignore: ['ENOENT', 'ENOTDIR'] }),
          execve('/etc/passwd/x', { ignore: ['ENOENT', 'ENOTDIR'] }),
        ];
        expect(await run([...candidates, shell('echo found')])).toMatchObject({ stdout: 'found\n' });
        const denied = execve('/proc/self/status', { ignore: ['ENOENT', 'ENOTDIR'] });
        expect((await run([denied, shell('echo found')])).error).toMatchObject({ step: 0, code: 'EACCES' });
      });

      it('ignore covers errors above 63', async () => {
        const step: Step = { call: 'bind', args: [0, Buffer.alloc(16), 16], ignore: ['ENOTSOCK'], what: 'bind' }; // 88
        expect((await run([step])).error).toBeUndefined();
        expect((await run([{ ...step, ignore: ['EDESTADDRREQ'] }])).error).toMatchObject({
          code: 'ENOTSOCK',
        }); // 89
        expect((await run([{ ...step, ignore: 'all' }])).error).toBeUndefined();
      });

      it('save gives its result to every later argument of that name, in structs as well', async () => {
        const path = join(folder, 'file');
        const file = { result: 'file' } as const;
        const program: Step[] = [
          { call: 'openat', args: [AT_FDCWD, path, O_WRONLY | O_CREAT, 0o600], save: 'file', what: 'open' },
          { call: 'write', args: [file, 'hello', 5], what: 'write' },
          { call: 'write', args: [1, { words: [7, file, file] }, 24], what: 'show the number' },
          { call: 'close', args: [file], what: 'close' },
          { call: 'close', args: [file], ignore: ['EBADF'], skipOnSuccess: 1, what: 'close again' },
          shell('echo; echo closed'),
        ];
        const { stdout, error } = await run(program);
        expect(error).toBeUndefined();
        expect(readFileSync(path, 'utf8')).toBe('hello');
        expect(stdout.slice(24)).toBe('\nclosed\n');
        const words = Buffer.from(stdout, 'latin1');
        expect(words.readBigInt64LE(0)).toBe(7n);
        expect(words.readBigInt64LE(8)).toBeGreaterThan(2n);
        expect(words.readBigInt64LE(16)).toBe(words.readBigInt64LE(8));
      });

      it('save gives -1 as long as there is no result', async () => {
        const program: Step[] = [
          { call: 'openat', args: [AT_FDCWD, '/no/such', 0], save: 'file', ignore: 'all', what: 'open' },
          { call: 'close', args: [{ result: 'file' }], what: 'close' },
        ];
        expect((await run(program)).error).toMatchObject({ step: 1, code: 'EBADF' });
      });

      it('skipOnSuccess leaves out steps after a success, and forks count as one', async () => {
        const say = (text: string): Step => ({ call: 'write', args: [1, text, text.length], what: 'say' });
        const fine: Step = { call: 'getpid', args: [], skipOnSuccess: 2, what: 'succeed' };
        const failing: Step = { call: 'close', args: [-1], ignore: 'all', skipOnSuccess: 2, what: 'fail' };
        expect((await run([fine, say('a'), say('b'), say('c')])).stdout).toBe('c');
        expect((await run([failing, say('a'), say('b'), say('c')])).stdout).toBe('abc');
        expect((await run([fine, FORK, say('b'), say('c')])).stdout).toBe('c');
        expect((await run([fine, say('a'), say('b')])).stdout).toBe('');
      });
    });

    describe('a waiter', requires('root'), () => {
      it('keeps what is held and nothing else', async () => {
        const lock = await fs.open(join(folder, 'lock'), 'w');
        const running = startRunnerOn(processor, {
          program: [
            { call: 'openat', args: [AT_FDCWD, '/', 0], what: 'open something' },
            FORK,
            shell('ls /proc/self/fd; exec cat'),
          ],
          runnerFolder: folder,
          stdio: ['pipe', 'pipe', 'inherit'],
          held: [lock.fd],
        });
        await running.started;
        await lock.close();
        expect(readdirSync(`/proc/${running.pid}/fd`)).toEqual(['3']);
        expect(await fs.readlink(`/proc/${running.pid}/fd/3`)).toBe(join(folder, 'lock'));
        running.child.stdin?.end();
        expect(await running.exited).toEqual({ code: 0 });
      });

      it('reaps the orphans of its child', async () => {
        const program: Step[] = [
          { call: 'unshare', args: [CLONE.NEWPID], what: 'create a pid namespace' },
          FORK, // whose child is the first process there, and so inherits orphans
          FORK,
          shell(ORPHAN, join(folder, 'fifo')),
        ];
        expect(await run(program)).toMatchObject({ stdout: 'reaped\n', code: 5 });
      });
    });
  });
}

describe('on this machine alone, startRunner()', () => {
  it('forks through clone3', async () => {
    const fork: Step = { call: 'clone3', args: [{ words: [0, 0, 0, 0, 17, 0, 0, 0] }, 64], fork: true, what: 'fork' };
    expect(await runProgram(folder, [fork, shell('exit 6')])).toMatchObject({ code: 6, error: undefined });
  });

  it('has no memory that is writable and executable', requires('root'), async () => {
    const stdio = ['pipe', 'ignore', 'inherit'] as const;
    const running = startRunner({ program: [FORK, shell('exec cat')], runnerFolder: folder, stdio });
    await running.started;
    const permissions = readFileSync(`/proc/${running.pid}/maps`, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[1]);
    expect(permissions.filter((permission) => permission?.startsWith('rwx') ?? true)).toEqual([]);
    running.child.stdin?.end();
    expect(await running.exited).toEqual({ code: 0 });
  });
});

// The orphan ends when its first parent has ended. A dead process that nobody has waited for still answers to kill -0.
const ORPHAN = `
  mkfifo "$0"
  orphan=$(sh -c '(read line; exit 9) >/dev/null <"$0" & echo $!' "$0")
  echo >"$0"
  while kill -0 $orphan 2>/dev/null; do :; done
  echo reaped
  exit 5`;
