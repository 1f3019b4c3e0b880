import { readFile } from 'node:fs/promises';
import { ToolError } from '../errors.ts';
import { DEFAULT_CAPABILITIES } from '../linux/capabilities.ts';
import type { Capability } from '../linux/capabilities.ts';
import { DEFAULT_FILTER_X64 } from '../linux/seccomp/default-filter-x64.ts';
import { printable } from '../printable.ts';
import type { SecurityOptions } from './parse-security.ts';

export interface FilterRequest extends Pick<SecurityOptions, 'seccomp'> {
  /** What the container may have: profiles allow some system calls with a capability only. */
  capabilities: readonly Capability[];
  kernelRelease: string;
}

/** Beside the code when it is built, and where the sources have it otherwise. */
const DEFAULT_PROFILE = new URL('../../dist/seccomp-default.json', import.meta.url);

/**
 * The program of the filter for a container's system calls, as seccomp(2) takes it; undefined for none.
 * For docker's profile with docker's capabilities it is there already; for others it is compiled.
 * @throws {ToolError} ERR_USAGE for a file that cannot be read or is no profile
 */
export async function loadSeccompFilter(request: FilterRequest): Promise<Uint8Array | undefined> {
  const { seccomp, capabilities, kernelRelease } = request;
  if (seccomp === 'unconfined') return undefined;
  if (seccomp === 'default' && hasDefaults(capabilities)) return Buffer.from(DEFAULT_FILTER_X64, 'base64');
  const path = seccomp === 'default' ? DEFAULT_PROFILE : seccomp.path;
  const bytes = await readProfile(path);
  const { parseSeccompProfile } = await import('../linux/seccomp/parse-profile.ts');
  const { compileFilter } = await import('../linux/seccomp/compile-filter.ts');
  const names = new Set(capabilities.map((name) => `CAP_${name}`));
  const profile = parseSeccompProfile(bytes, String(path));
  const filter = compileFilter(profile, { architecture: 'amd64', capabilities: names, kernelRelease });
  const length = filter.length / INSTRUCTION_SIZE;
  if (length <= MAX_INSTRUCTIONS) return filter;
  throw unusable(path, `it needs ${length} instructions, and the kernel takes ${MAX_INSTRUCTIONS}`);
}

const MAX_INSTRUCTIONS = 4096; // BPF_MAXINSNS of the kernel
const INSTRUCTION_SIZE = 8; // bytes

/** NET_RAW, which a private network takes away, has no part in docker's profile. */
function hasDefaults(capabilities: readonly Capability[]): boolean {
  return (
    capabilities.every((name) => DEFAULT_CAPABILITIES.includes(name)) &&
    DEFAULT_CAPABILITIES.every((name) => name === 'NET_RAW' || capabilities.includes(name))
  );
}

async function readProfile(path: string | URL): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw unusable(path, code === 'ENOENT' ? 'no such file or directory' : code, error);
  }
}

function unusable(path: string | URL, reason: string, cause?: unknown): ToolError {
  return new ToolError('ERR_USAGE', `Cannot use seccomp profile "${printable(String(path))}": ${reason}`, { cause });
}
