import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { parseCapabilities } from '../../../src/container/parse-capabilities.ts';
import { DEFAULT_SECURITY } from '../../../src/container/parse-security.ts';
import { lastCapability } from '../../../src/container/host-view.ts';
import type { RunOptions } from '../support/box.ts';
import { allOf, describeProbed, PRIVILEGED } from '../support/probed-containers.ts';

const UNMASKED: RunOptions = { security: { ...DEFAULT_SECURITY, systemPaths: 'unconfined' } };

// What docker documents, and nothing beyond it: https://docs.docker.com/reference/cli/docker/container/run/#privileged
describeProbed('what an option takes away', ({ caller, answers, lines }) => {
  const status = async (options: RunOptions): Promise<string[]> => {
    const found = await lines(['show', '/proc/self/status'], { options });
    return found.filter((line) => /^(CapEff|CapBnd|CapInh|Seccomp|NoNewPrivs):/.test(line));
  };
  // Nobody can hand on more than he has; the owner of a user namespace has all.
  const everything =
    caller === 'root'
      ? (/^CapPrm:\t(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '')
      : ((1n << BigInt(lastCapability() + 1)) - 1n).toString(16).padStart(16, '0');

  it('X02 X03 X09 X12 X13 is, with --privileged, all that holds root back: capabilities, filter, masks, devices', async () => {
    expect(await status(PRIVILEGED)).toEqual([
      'CapInh:\t0000000000000000',
      `CapEff:\t${everything}`,
      `CapBnd:\t${everything}`,
      'NoNewPrivs:\t0',
      'Seccomp:\t0',
    ]);
    expect(await answers(['read', '/proc/interrupts'], { options: PRIVILEGED })).not.toEqual({
      '/proc/interrupts': '0',
    });
    const written = await answers(['write', '/proc/sys/kernel/core_pattern', '/proc/sys/vm/panic_on_oom'], {
      options: PRIVILEGED,
    });
    // As an ordinary user, what belongs to root of the host stays out of reach.
    expect(Object.values(written)).toEqual(caller === 'root' ? ['ok', 'ok'] : ['EACCES', 'EACCES']);
    expect(await answers(['mount', 'tmpfs:/tmp/t'], { options: PRIVILEGED })).toEqual({ 'tmpfs:/tmp/t': 'ok' });
  });

  it('X01 X15 X17 X24 X30 X35 are not, with --privileged, its namespaces, nor what the caller has open', async () => {
    const [confined, privileged] = [
      await answers(['namespaces']),
      await answers(['namespaces'], { options: PRIVILEGED }),
    ];
    expect(Object.keys(privileged)).toEqual(Object.keys(confined));
    expect(await lines(['show', '/proc/sys/kernel/ns_last_pid'], { options: PRIVILEGED })).toEqual(['1']);
    expect(await lines(['descriptors'], { options: PRIVILEGED })).toHaveLength(3);
    expect((await lines(['show', '/proc/self/environ'], { options: PRIVILEGED })).join()).not.toContain('SECRET');
  });

  it('X12 X09 are, with systempaths=unconfined, the masks and nothing else', async () => {
    expect(await status(UNMASKED)).toEqual(await status({}));
    const read = await answers(['read', '/proc/interrupts', '/proc/timer_list'], { options: UNMASKED });
    expect(read['/proc/interrupts']).not.toBe('0');
    const written = await answers(['write', '/proc/sys/kernel/core_pattern', '/sys/kernel/mm/ksm/run'], {
      options: UNMASKED,
    });
    // docker's /sys stays read-only as well
    expect(Object.values(written)).toEqual([
      caller === 'root' ? 'ok' : 'EACCES',
      expect.stringMatching(/^(EROFS|EACCES)$/),
    ]);
    expect(await answers(['mount', 'tmpfs:/tmp/t'], { options: UNMASKED })).toEqual({ 'tmpfs:/tmp/t': 'EPERM' });
  });

  it('X07 X13 are, with CAP_SYS_ADMIN, the mounts of the container and not the devices of the host', async () => {
    const options = { capabilities: parseCapabilities({ add: ['SYS_ADMIN'], drop: [], privileged: false }) };
    expect(await answers(['mount', 'tmpfs:/tmp/t'], { options })).toEqual({ 'tmpfs:/tmp/t': 'ok' });
    const devices = ['/tmp/disk', '/dev/disk'];
    const found = await answers(['device', '1:0', ...devices], { options });
    expect(found).toEqual(allOf(devices, caller === 'root' ? 'EACCES' : 'EPERM'));
  });

  it('X03 X20 is, with seccomp=unconfined, the filter and nothing else', async () => {
    const options = { security: { ...DEFAULT_SECURITY, seccomp: 'unconfined' } } as const;
    const changed = (await status(options)).filter((line) => !line.startsWith('Seccomp:'));
    expect(changed).toEqual((await status({})).filter((line) => !line.startsWith('Seccomp:')));
    expect(await answers(['read', '/proc/timer_list', '/proc/keys'], { options })).toEqual(
      await answers(['read', '/proc/timer_list', '/proc/keys']),
    );
  });
});
