import { execFileSync, type ExecFileSyncOptionsWithBufferEncoding } from 'node:child_process';

/** Runs a program of the machine and answers with its stdout; where it fails, the error shows its stderr. */
export function execute(program: string, args: string[], options: ExecFileSyncOptionsWithBufferEncoding = {}): string {
  return execFileSync(program, args, { maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'], ...options }).toString();
}
