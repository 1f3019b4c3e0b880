import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createGroupIn } from '../../../src/container/limits/create-group.ts';
import type { ContainerGroup } from '../../../src/container/limits/create-group.ts';
import type { ResourceLimits } from '../../../src/container/limits/resource-limits.ts';
import type { Controller, ControllerPlace } from '../../../src/linux/control-groups.ts';

const ID = 'f'.repeat(64);
const LIMITS: ResourceLimits = { memory: 64 * 2 ** 20, milliCpus: 1500, cpuShares: 512, pids: 10, cpusetCpus: '0-1' };

// Folders in place of the kernel's: what is written where. That the kernel takes it, test/container/limits.test.ts shows for the version
// that the machine has.
describe('createGroupIn()', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'mydocker-groups-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** The kernel makes the files of a group with its folder. */
  function prepare(path: string, files: Record<string, string>): void {
    mkdirSync(join(root, path), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, path, name), text);
  }

  function create(
    version: 1 | 2,
    limits: ResourceLimits,
    own: string | undefined = join(root, 'a'),
  ): ContainerGroup | undefined {
    const place: ControllerPlace = { version, mount: root, own };
    const controllers: Controller[] = ['cpu', 'cpuset', 'memory', 'pids'];
    return createGroupIn(new Map(controllers.map((controller) => [controller, place])), ID, limits);
  }

  const read = (path: string): string => readFileSync(join(root, path), 'utf8');

  it('makes a group beside its own in version 2, with the controllers enabled on the way', () => {
    for (const path of ['', 'mydocker', 'a']) prepare(path, { 'cgroup.subtree_control': '' });
    const files = ['memory.max', 'memory.swap.max', 'cpu.max', 'cpu.weight', 'pids.max', 'cpuset.cpus'];
    prepare(`mydocker/${ID}`, Object.fromEntries(files.map((name) => [name, ''])));
    expect(create(2, LIMITS)?.folders).toEqual([join(root, 'mydocker', ID)]);
    expect(files.map((name) => read(`mydocker/${ID}/${name}`))).toEqual([
      '67108864',
      '67108864',
      '150000 100000',
      '20',
      '10',
      '0-1',
    ]);
    expect(read('cgroup.subtree_control')).toMatch(/^\+\w+$/);
    expect(read('mydocker/cgroup.subtree_control')).toMatch(/^\+\w+$/);
    expect(read('a/cgroup.subtree_control')).toBe('');
  });

  it('makes a group below its own in version 1, with processors and memory nodes of the one above', () => {
    prepare('a', { 'cpuset.cpus': '0-7\n', 'cpuset.mems': '0\n' });
    const files = [
      'memory.limit_in_bytes',
      'memory.memsw.limit_in_bytes',
      'cpu.cfs_quota_us',
      'cpu.shares',
      'pids.max',
    ];
    prepare(`a/mydocker/${ID}`, Object.fromEntries([...files, 'cpuset.cpus'].map((name) => [name, ''])));
    expect(create(1, LIMITS)?.folders).toEqual([join(root, 'a/mydocker', ID)]);
    expect(files.map((name) => read(`a/mydocker/${ID}/${name}`))).toEqual([
      '67108864',
      '134217728',
      '150000',
      '512',
      '10',
    ]);
    expect(read('a/mydocker/cpuset.cpus')).toBe('0-7');
    expect(read(`a/mydocker/${ID}/cpuset.mems`)).toBe('0');
    expect(read(`a/mydocker/${ID}/cpuset.cpus`)).toBe('0-1');
  });

  it('makes none without limits', () => {
    expect(create(2, {})).toBeUndefined();
    expect(existsSync(join(root, 'mydocker'))).toBe(false);
  });

  it('passes over swap where the kernel does not account for it, unless somebody asks for it', () => {
    prepare(`a/mydocker/${ID}`, { 'memory.limit_in_bytes': '' });
    expect(create(1, { memory: 64 * 2 ** 20 })).toBeDefined();
    expect(() => create(1, { memory: 64 * 2 ** 20, memorySwap: -1 })).toThrow(/^Cannot enforce --memory-swap: /);
  });

  it.each([['a file that is missing', {}, /^Cannot enforce --pids-limit: "10" for pids: no such file or directory$/]])(
    'refuses a limit that cannot be enforced: %s',
    (_what, files, message) => {
      prepare('a', files);
      expect(() => create(1, { pids: 10 })).toThrow(
        expect.objectContaining({ code: 'ERR_HOST', message: expect.stringMatching(message) as string }),
      );
    },
  );

  it('leaves no group behind where the one above does not hand down the controller', () => {
    prepare('', { 'cgroup.subtree_control': 'pids' });
    prepare('mydocker/cgroup.subtree_control', {}); // cannot be written to
    expect(() => create(2, { pids: 10 })).toThrow(/^Cannot enforce --pids-limit: /);
    expect(existsSync(join(root, 'mydocker', ID))).toBe(false);
  });

  it('refuses where there is no controller, or its group is out of sight', () => {
    expect(() => createGroupIn(new Map(), ID, { pids: 10 })).toThrow(
      'Cannot enforce --pids-limit: there is no controller for it',
    );
    const place: ControllerPlace = { version: 1, mount: root, own: undefined };
    expect(() => createGroupIn(new Map([['pids', place]]), ID, { pids: 10 })).toThrow('out of sight');
  });

  it.each([
    [1, 'memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n', 'memory.limit_in_bytes'],
    [2, 'memory.events', 'low 0\noom 4\noom_kill 3\noom_group_kill 0\n', 'memory.max'],
  ] as const)('counts what version %i has killed for want of memory', (version, file, text, limit) => {
    for (const path of ['', 'mydocker']) prepare(path, { 'cgroup.subtree_control': 'memory' });
    const folder = version === 1 ? `a/mydocker/${ID}` : `mydocker/${ID}`;
    prepare(folder, { [file]: text, [limit]: '' });
    expect(create(version, { memory: 64 * 2 ** 20 })?.oomKills()).toBe(3);
  });
});
