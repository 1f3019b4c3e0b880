import { readFile } from 'node:fs/promises';
import { ToolError } from '../errors.ts';
import { DEFAULT_CAPABILITIES } from '../linux/capabilities.ts';
import type { Capability } from '../linux/capabilities.ts';
import { DEFAULT_FILTER_ARM64 } from '../linux/seccomp/default-filter-arm64.ts';
import { DEFAULT_FILTER_X64 } from '../linux/seccomp/default-filter-x64.ts';
import type { FilterTarget } from '../linux/seccomp/applicable-rules.ts';
import type { Machine } from '../linux/syscalls.ts';
import type { SeccompProfile } from '../linux/seccomp/seccomp-profile.ts';
import { printable } from '../printable.ts';
import type { SecurityOptions } from './parse-security.ts';

export interface FilterRequest extends Pick<SecurityOptions, 'seccomp'> {
  machine: Machine;
  /** What the container may have: profiles allow some system calls with a capability only. */
  capabilities: readonly Capability[];
  kernelRelease: string;
}

const FILTERS: Readonly<Record<Machine, { architecture: FilterTarget['architecture']; ready: string }>> = {
  x64: { architecture: 'amd64', ready: DEFAULT_FILTER_X64 },
  arm64: { architecture: 'arm64', ready: DEFAULT_FILTER_ARM64 },
};

/** Beside the code when it is built, and where the sources have it otherwise. */
const DEFAULT_PROFILE = new URL('../../dist/seccomp-default.json', import.meta.url);

/**
 * The program of the filter for a container's system calls, as seccomp(2) takes it; undefined for none.
 * For docker's profile with docker's capabilities it is there already; for others it is compiled.
 * @throws {ToolError} ERR_USAGE for a file that cannot be read or is no profile
 */
export async function loadSeccompFilter(request: FilterRequest): Promise<Uint8Array | undefined> {
  const { machine, seccomp, capabilities, kernelRelease } = request;
  if (seccomp === 'unconfined') return undefined;
  const { architecture, ready } = FILTERS[machine];
  if (seccomp === 'default' && hasDefaults(capabilities)) return Buffer.from(ready, 'base64');
  const profile = await readSeccompProfile(seccomp);
  const { compileFilter } = await import('../linux/seccomp/compile-filter.ts');
  const names = new Set(capabilities.map((name) => `CAP_${name}`));
  const filter = compileFilter(profile, { architecture, capabilities: names, kernelRelease });
  const length = filter.length / INSTRUCTION_SIZE;
  if (length <= MAX_INSTRUCTIONS) return filter;
  const reason = `it needs ${length} instructions, and the kernel takes ${MAX_INSTRUCTIONS}`;
  throw unusable(seccomp === 'default' ? DEFAULT_PROFILE : seccomp.path, reason);
}

/**
 * Docker's profile, or that of a file.
 * @throws {ToolError} ERR_USAGE for a file that cannot be read, ERR_MANIFEST for one that is no profile
 */
export async function readSeccompProfile(
  seccomp: Exclude<SecurityOptions['seccomp'], 'unconfined'>,
): Promise<SeccompProfile> {
  const path = seccomp === 'default' ? DEFAULT_PROFILE : seccomp.path;
  const bytes = await readProfile(path);
  const { parseSeccompProfile } = await import('../linux/seccomp/parse-profile.ts');
  return parseSeccompProfile(bytes, String(path));
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
