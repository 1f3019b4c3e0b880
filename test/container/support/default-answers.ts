import { syscallTable } from '../../../src/linux/seccomp/syscall-tables.ts';
import type { Box, RunOptions } from './box.ts';

const NEWUSER = 0x10000000;
const SIGCHLD = 17;
const UPPER_BIT = 2 ** 32;

/** What the default profile answers; nothing here does anything where it is allowed. */
const CALLS: [name: string, answer: string, ...args: number[]][] = [
  ['unshare', 'EPERM', NEWUSER],
  ['clone', 'EPERM', NEWUSER + SIGCHLD],
  ['clone3', 'ENOSYS'],
  ['setns', 'EPERM', -1],
  ['mount', 'EPERM'],
  ['fsopen', 'EPERM'],
  ['open_tree', 'EPERM'],
  ['bpf', 'EPERM'],
  ['keyctl', 'EPERM'],
  ['add_key', 'EPERM'],
  ['perf_event_open', 'EPERM'],
  ['userfaultfd', 'EPERM'],
  ['io_uring_setup', 'EPERM'],
  ['kexec_load', 'EPERM'],
  ['init_module', 'EPERM'],
  ['open_by_handle_at', 'EPERM'],
  ['settimeofday', 'EPERM'],
  ['socket', 'EPERM', 38, 5], // AF_ALG
  ['socket', 'EPERM', 38 + UPPER_BIT, 5],
  ['socket', 'EPERM', 40, 1], // AF_VSOCK
  ['personality', 'EPERM', 0x0400000], // READ_IMPLIES_EXEC
  ['socket', 'ok', 2, 1],
  ['getpid', 'ok'],
  ['personality', 'ok', 0xffffffff],
];

/** Calls, and what docker's profile answers. */
export const DEFAULT_ANSWERS: [name: string, answer: string][] = CALLS.map(([name, answer]) => [name, answer]);

/** What a container answers to them; its image has the probe. */
export async function askForAnswers(box: Box, options: RunOptions = {}): Promise<[name: string, answer: string][]> {
  const table = syscallTable('x64');
  const script = CALLS.map(([name, , ...args]) => ['/probe call', table.get(name), ...args].join(' ')).join(';');
  const { stdout } = await box.run(['sh', '-c', script], { options });
  const answers = stdout.trim().split('\n');
  return answers.map((answer, index) => [CALLS[index]?.[0] ?? '', answer.replace(/ \d+$/, '')]);
}
