import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { testBed } from './test-bed.ts';

/** How a run of the CLI ended and what it said. */
export interface Ended {
  /** The exit code; 128+n where signal n killed the CLI itself. */
  code: number;
  stdout: string;
  stderr: string;
}

export interface CallOptions {
  /** For its standard input, which is empty otherwise. `open` keeps it open until the caller ends it. */
  stdin?: { text: string } | 'open';
  env?: Record<string, string>;
  cwd?: string;
  /** Program and arguments that start the CLI, such as `['unshare', '-n']`. */
  prefix?: string[];
  /** Start the prefix as root; it is then the prefix that becomes the home's user. */
  prefixAsRoot?: boolean;
}

/** A running CLI. */
export interface Running {
  child: ChildProcess;
  pid: number;
  ended: Promise<Ended>;
  /** Resolves when stdout holds `text`; rejects where the CLI ends before. */
  says(text: string): Promise<void>;
}

/** A user's empty home folder and store, and the CLI called by that user. */
export interface CliHome {
  /** The store: MYDOCKER_HOME. */
  store: string;
  folder: string;
  uid: number;
  gid: number;
  mydocker(args: string[], options?: CallOptions): Promise<Ended>;
  start(args: string[], options?: CallOptions): Running;
  /** Ends what still runs and removes everything; fails where a mount was left behind. */
  remove(): void;
}

const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGTERM: 15,
};

/** `user` is root where it is not given. `parent` is the folder in which the home is made. */
export function openCliHome(user?: string, parent: string = tmpdir()): CliHome {
  const [uid, gid] = user === undefined ? [0, 0] : [idOf(user, '-u'), idOf(user, '-g')];
  const folder = mkdtempSync(join(parent, 'mydocker-e2e-'));
  chownSync(folder, uid, gid);
  const store = join(folder, 'store');
  const started: ChildProcess[] = [];

  function start(args: string[], options: CallOptions = {}): Running {
    const { stdin, env = {}, cwd = folder, prefix = [], prefixAsRoot = false } = options;
    // `--` as the launcher says it: see scripts/build.mjs
    const command = [...prefix, process.execPath, '--', testBed().cli, ...args];
    const child = spawn(command[0] ?? '', command.slice(1), {
      cwd,
      ...(prefixAsRoot ? {} : { uid, gid }),
      env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', HOME: folder, MYDOCKER_HOME: store, ...env },
      stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    started.push(child);
    if (typeof stdin === 'object') child.stdin?.end(stdin.text);
    return follow(child);
  }

  return {
    store,
    folder,
    uid,
    gid,
    start,
    mydocker: async (args, options) => start(args, options).ended,
    remove() {
      for (const child of started) child.kill('SIGKILL'); // does nothing to those that have ended
      const left = readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((line) => line.includes(folder));
      if (left.length > 0) throw new Error(`mounts were left behind:\n${left.join('\n')}`);
      rmSync(folder, { recursive: true });
    },
  };
}

function follow(child: ChildProcess): Running {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  }
  const ended = once(child, 'close').then(([code, signal]: (number | NodeJS.Signals | null)[]): Ended => ({
    ...output,
    code: exitCode(code, signal),
  }));
  return {
    child,
    pid: child.pid ?? 0,
    ended,
    async says(text) {
      while (!output.stdout.includes(text)) {
        const more = child.stdout === null ? ended : once(child.stdout, 'data');
        const last = await Promise.race([more, ended]);
        if (!Array.isArray(last) && !output.stdout.includes(text)) {
          throw new Error(
            `mydocker ended with ${last.code} before it said "${text}": ${output.stdout}${output.stderr}`,
          );
        }
      }
    },
  };
}

function exitCode(code: unknown, signal: unknown): number {
  return typeof code === 'number' ? code : 128 + (SIGNAL_NUMBERS[signal as NodeJS.Signals] ?? 0);
}

function idOf(user: string, option: '-u' | '-g'): number {
  return Number(execFileSync('id', [option, user], { encoding: 'utf8' }));
}
