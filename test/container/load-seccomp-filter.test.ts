import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { loadSeccompFilter, type FilterRequest } from '../../src/container/load-seccomp-filter.ts';
import { DEFAULT_CAPABILITIES } from '../../src/linux/capabilities.ts';
import { DEFAULT_FILTER_ARM64 } from '../../src/linux/seccomp/default-filter-arm64.ts';
import { DEFAULT_FILTER_X64 } from '../../src/linux/seccomp/default-filter-x64.ts';
import { syscallTable } from '../../src/linux/seccomp/syscall-tables.ts';
import { ANSWER, AUDIT, runFilter } from '../linux/seccomp/run-filter.ts';

const REQUEST: Omit<FilterRequest, 'machine'> = {
  seccomp: 'default',
  capabilities: DEFAULT_CAPABILITIES,
  kernelRelease: '6.1.0',
};
const path = fileURLToPath(new URL('../../src/linux/seccomp/docker-default.json', import.meta.url));

describe('loadSeccompFilter()', () => {
  it.each([
    ['x64', DEFAULT_FILTER_X64],
    ['arm64', DEFAULT_FILTER_ARM64],
  ] as const)('has the default of %s ready', async (machine, base64) => {
    expect(await loadSeccompFilter({ ...REQUEST, machine })).toEqual(Buffer.from(base64, 'base64'));
  });

  it.each(['x64', 'arm64'] as const)('compiles a profile for %s and the capabilities', async (machine) => {
    const capabilities = [...DEFAULT_CAPABILITIES, 'SYS_ADMIN'] as const;
    const filter = await loadSeccompFilter({ ...REQUEST, machine, capabilities, seccomp: { path } });
    for (const [name, answer] of Object.entries({ mount: ANSWER.allow, openat: ANSWER.allow, bpf: ANSWER.allow })) {
      const number = syscallTable(machine).get(name) ?? -1;
      expect(runFilter(filter ?? Buffer.alloc(0), { architecture: AUDIT[machine], number }), name).toBe(answer);
    }
    const reboot = syscallTable(machine).get('reboot') ?? -1;
    expect(runFilter(filter ?? Buffer.alloc(0), { architecture: AUDIT[machine], number: reboot })).toBe(ANSWER.eperm);
  });

  it('is nothing where no filter is wanted', async () => {
    expect(await loadSeccompFilter({ ...REQUEST, machine: 'arm64', seccomp: 'unconfined' })).toBeUndefined();
  });

  it('refuses a profile that is not there', async () => {
    await expect(loadSeccompFilter({ ...REQUEST, machine: 'x64', seccomp: { path: '/no/such' } })).rejects.toThrow(
      'Cannot use seccomp profile "/no/such": no such file or directory',
    );
  });
});
