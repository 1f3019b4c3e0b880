import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const FAULT = fileURLToPath(new URL('./fault.ts', import.meta.url));

export interface ChildResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ChildOptions {
  args?: string[];
  env?: Record<string, string>;
  uid?: number;
  /** Put before `node`, such as ['strace', '-f']. */
  wrapper?: string[];
  /** What goes wrong: `<call or *>:<n>:<kill or errno name>`, such as 'fsync:1:EIO'. See fault.ts. */
  fault?: string;
  /** Write every call that changes files to fd 2. */
  logCalls?: boolean;
}

/** A program in TypeScript that runs in a process of its own: Node 20 cannot read TypeScript, so esbuild makes it one file. */
export interface ChildProgram {
  start(options?: ChildOptions): ChildProcessWithoutNullStreams;
  run(options?: ChildOptions): Promise<ChildResult>;
  remove(): Promise<void>;
}

/** `source` imports the project's modules as './src/store/open-store.ts' and may use top-level await. */
export async function buildChildProgram(source: string): Promise<ChildProgram> {
  const folder = await fs.mkdtemp(join(tmpdir(), 'mydocker-child-'));
  await fs.chmod(folder, 0o755); // for children that run as somebody else
  await fs.symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  const program = await bundle(source, join(folder, 'program.mjs'));
  const fault = await bundle(`import ${JSON.stringify(FAULT)}`, join(folder, 'fault.mjs'));
  const start = (options: ChildOptions = {}): ChildProcessWithoutNullStreams => {
    const { args = [], env = {}, uid, wrapper = [] } = options;
    const faulty = options.fault === undefined && options.logCalls === undefined ? [] : ['--import', fault];
    const [command = '', ...rest] = [...wrapper, process.execPath, ...faulty, program, ...args];
    const variables = { FAULT: options.fault ?? '', ...(options.logCalls === true && { FAULT_LOG: '1' }), ...env };
    return spawn(command, rest, {
      env: { PATH: process.env['PATH'] ?? '', ...variables },
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
  };
  return {
    start,
    run: async (options) => collect(start(options)),
    remove: async () => fs.rm(folder, { recursive: true }),
  };
}

/** A `wrapper`: the child gets mounts of its own, made by a line of shell with `folder` as $0, that end with it. */
export function withMounts(script: string, folder: string): string[] {
  return ['unshare', '--mount', 'sh', '-c', `${script} && exec "$@"`, folder];
}

async function bundle(source: string, outfile: string): Promise<string> {
  await build({
    stdin: { contents: source, resolveDir: PROJECT, loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  return outfile;
}

async function collect(child: ChildProcessWithoutNullStreams): Promise<ChildResult> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    });
  });
}
