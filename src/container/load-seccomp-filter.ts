import { readFile } from 'node:fs/promises';
import { ToolError } from '../errors.ts';
import { DEFAULT_CAPABILITIES } from '../linux/capabilities.ts';
import { DEFAULT_FILTER_X64 } from '../linux/seccomp/default-filter-x64.ts';
import { printable } from '../printable.ts';
import type { SecurityOptions } from './parse-security.ts';

const MAX_INSTRUCTIONS = 4096; // BPF_MAXINSNS of the kernel
const INSTRUCTION_SIZE = 8; // bytes

/**
 * The program of the filter for a container's system calls, as seccomp(2) takes it; undefined for none.
 * A profile of the user's is compiled; the default one is compiled already.
 * @throws {ToolError} ERR_USAGE for a file that cannot be read or is no profile
 */
export async function loadSeccompFilter(
  { seccomp }: Pick<SecurityOptions, 'seccomp'>,
  { kernelRelease }: { kernelRelease: string },
): Promise<Uint8Array | undefined> {
  if (seccomp === 'unconfined') return undefined;
  if (seccomp === 'default') return Buffer.from(DEFAULT_FILTER_X64, 'base64');
  const { path } = seccomp;
  const bytes = await readProfile(path);
  const { parseSeccompProfile } = await import('../linux/seccomp/parse-profile.ts');
  const { compileFilter } = await import('../linux/seccomp/compile-filter.ts');
  const capabilities = new Set(DEFAULT_CAPABILITIES.map((name) => `CAP_${name}`));
  const filter = compileFilter(parseSeccompProfile(bytes, path), {
    architecture: 'amd64',
    capabilities,
    kernelRelease,
  });
  if (filter.length <= MAX_INSTRUCTIONS * INSTRUCTION_SIZE) return filter;
  throw unusable(
    path,
    `it needs ${filter.length / INSTRUCTION_SIZE} instructions, and the kernel takes ${MAX_INSTRUCTIONS}`,
  );
}

async function readProfile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw unusable(path, code === 'ENOENT' ? 'no such file or directory' : code, error);
  }
}

function unusable(path: string, reason: string, cause?: unknown): ToolError {
  return new ToolError('ERR_USAGE', `Cannot use seccomp profile "${printable(path)}": ${reason}`, { cause });
}
