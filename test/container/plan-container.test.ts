import { describe, expect, it } from 'vitest';

import { planContainer } from '../../src/container/plan-container.ts';
import type { PlanRequest } from '../../src/container/plan-container.ts';
import { DEFAULT_CAPABILITIES } from '../../src/linux/capabilities.ts';
import { CLONE, SIGNAL } from '../../src/linux/process-flags.ts';
import { RESOLVE } from '../../src/linux/path-flags.ts';
import type { Arg, Program, Step } from '../../src/linux/program.ts';

const FOLDER = '/store/containers/id';
const MAPPED = {
  kind: 'mapped',
  uids: [{ inside: 0, outside: 1000, count: 1 }],
  gids: [
    { inside: 0, outside: 1000, count: 1 },
    { inside: 1, outside: 100_000, count: 65_536 },
  ],
} as const;
const SINGLE = { kind: 'single', uid: 1000, gid: 1000 } as const;

const REQUEST: PlanRequest = {
  folder: FOLDER,
  lock: 3,
  gcLock: '/store/gc.lock',
  layers: ['/store/layers/one', '/store/layers/two'],
  root: {
    mount: { type: 'overlay', options: ['lowerdir=l/1:l/0', 'upperdir=upper', 'workdir=work', 'volatile'] },
    attributes: { uid: 0, gid: 0, mode: 0o755 },
  },
  readOnlyRoot: true,
  ownership: { kind: 'root' },
  permitted: (1n << 41n) - 1n,
  lastCapability: 40,
  user: { uid: 0, gid: 0, groups: [0, 10], home: '/root' },
  command: ['sh', '-c', 'true'],
  environment: ['PATH=/bin:relative:/usr/bin::/bin', 'A=1'],
  workingFolder: '/app/x',
  hostname: 'box',
  domainname: 'example.org',
  network: 'none',
  mounts: [
    { kind: 'volume', source: '/home/u/deep', sourceKind: 'folder', target: '/data/deep', readOnly: true },
    { kind: 'volume', source: '/home/u/top', sourceKind: 'folder', target: '/data', readOnly: false },
    { kind: 'tmpfs', target: '/fast', attributes: 0xe, options: [['size', '1m']] },
  ],
  imageVolumes: ['/volume'],
  shmSize: 1024,
  terminal: { path: '/dev/pts/7', master: 4, size: { columns: 80, rows: 24 } },
  pipes: [1],
  nulls: [0],
  thermalCpus: [0, 1],
  systemCallFilter: Buffer.alloc(16),
  noNewPrivileges: false,
  protectSystemPaths: true,
  privileged: false,
  capabilities: DEFAULT_CAPABILITIES,
  ulimits: [],
  controlGroups: [],
  sysctls: [],
  init: false,
  pid: 'private',
  ipc: 'private',
};

function plan(changes: Partial<PlanRequest> = {}): Program {
  return planContainer({ ...REQUEST, ...changes }).program;
}

function indexOf(program: Program, matches: (step: Step) => boolean): number {
  const index = program.findIndex(matches);
  if (index === -1) throw new Error('Cannot find the step');
  return index;
}

const fork = (program: Program): number => indexOf(program, (step) => step.fork !== undefined);
const pivot = (program: Program): number => indexOf(program, (step) => step.call === 'pivot_root');
const by = (text: string) => (step: Step) => step.what.includes(text);

function find(program: Program, matches: (step: Step) => boolean): Step {
  const step = program.find(matches);
  if (step === undefined) throw new Error('Cannot find the step');
  return step;
}

/** What the argument of a step points to. */
function dataOf({ args }: Pick<Step, 'args'>, index: number): Buffer {
  const arg = args[index];
  if (!(arg instanceof Buffer)) throw new Error('Cannot find the data');
  return arg;
}

function textsOf(step: Pick<Step, 'args'>): string[] {
  return step.args.filter((arg): arg is Arg & string => typeof arg === 'string');
}

describe('planContainer()', () => {
  it('takes the lock, then waits for a collection, then asks for every layer, before anything else', () => {
    expect(
      plan()
        .slice(0, 7)
        .map(({ call, args }) => [call, args[0] === -100 ? args[1] : args[0]]),
    ).toEqual([
      ['flock', 3],
      ['mknodat', `${FOLDER}/started`],
      ['openat', '/store/gc.lock'],
      ['flock', { result: 'gc lock' }],
      ['faccessat2', '/store/layers/one/done'],
      ['faccessat2', '/store/layers/two/done'],
      ['close', { result: 'gc lock' }],
    ]);
  });

  it('names nothing of the host after the change of root', () => {
    const program = plan();
    const later = program.slice(pivot(program) + 1).flatMap(textsOf);
    expect(later.filter((text) => /^\/(store|home|dev\/)/.test(text))).toEqual([]);
  });

  it('makes every mount of the host or of a file system before the change of root', () => {
    const program = plan();
    const late = program.slice(pivot(program)).filter(({ call }) => call === 'fsopen' || call === 'mount');
    // What covers a folder in /proc or /sys is a file system of its own, and follows no path.
    expect(late.filter(({ what }) => !what.startsWith('mask /'))).toEqual([]);
  });

  it('walks paths of the image inside the new root only, and never through magic links', () => {
    const program = plan();
    const walks = program.filter(({ call }) => call === 'openat2');
    expect(walks.length).toBeGreaterThan(10);
    expect(program.slice(0, pivot(program)).filter(({ call }) => call === 'openat2')).toEqual([]);
    for (const { args } of walks) {
      const resolve = Number(dataOf({ args }, 2).readBigUInt64LE(16));
      const noSymlinks = RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS;
      expect([RESOLVE.NO_MAGICLINKS, noSymlinks, noSymlinks | RESOLVE.NO_XDEV]).toContain(resolve);
    }
    const others = program
      .slice(pivot(program) + 1)
      .filter(({ call }) =>
        ['open_tree', 'openat', 'mkdirat', 'mknodat', 'unlinkat', 'symlinkat', 'move_mount'].includes(call),
      )
      .filter(({ call, args }) => textsOf({ args }).some((path) => call !== 'symlinkat' && path.startsWith('/')));
    expect(others).toEqual([]);
  });

  it('attaches outer mounts before inner ones', () => {
    const program = plan();
    const at = (text: string): number =>
      indexOf(program, (step) => step.call === 'move_mount' && step.what.includes(text));
    expect(at('"/home/u/top"')).toBeLessThan(at('"/home/u/deep"'));
    expect(at('mount /dev')).toBeLessThan(at('"/home/u/top"'));
    expect(at('mount /proc')).toBeLessThan(at('mask /proc/keys'));
  });

  it('has no /proc while it walks paths that others decide, and masks what they mount in /sys', () => {
    const program = plan();
    const proc = indexOf(program, ({ call, what }) => call === 'move_mount' && what === 'mount /proc');
    const walks = program.flatMap(({ call, args }, index) =>
      call === 'openat2' && Number(dataOf({ args }, 2).readBigUInt64LE(16)) === RESOLVE.NO_MAGICLINKS ? [index] : [],
    );
    expect(Math.max(...walks)).toBeLessThan(proc);
    expect(proc).toBeLessThan(indexOf(program, by('mask /sys/firmware')));
  });

  it('makes folders before the root becomes read-only, and takes rights away last', () => {
    const program = plan({ user: { uid: 7, gid: 8, groups: [8, 9], home: '/' } });
    const readOnly = indexOf(program, by('make the root read-only'));
    expect(indexOf(program, by('prepare the volume'))).toBeLessThan(readOnly);
    expect(indexOf(program, ({ call }) => call === 'keyctl')).toBeGreaterThan(fork(program)); // X30: not the caller's keyring
    const order = [
      readOnly,
      indexOf(program, ({ call }) => call === 'fchdir'),
      indexOf(program, ({ call }) => call === 'setgroups'),
      indexOf(program, ({ call }) => call === 'setresgid'),
      indexOf(program, ({ call }) => call === 'setresuid'),
      indexOf(program, ({ call }) => call === 'capset'),
      indexOf(program, ({ call }) => call === 'execve'),
    ];
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    const dying = program.map(({ what }, index) => (what.includes('parent') ? index : -1));
    expect(Math.max(...dying)).toBeGreaterThan(indexOf(program, ({ call }) => call === 'capset'));
  });

  it('creates a user namespace for ordinary users only, before it forks', () => {
    const creates = (program: Program): boolean => program.slice(0, fork(program)).some(by('user namespace'));
    expect(creates(plan())).toBe(false);
    expect(creates(plan({ ownership: MAPPED }))).toBe(true);
    expect(creates(plan({ ownership: SINGLE }))).toBe(true);
  });

  it('makes a private network, and has it connected, before anything forks', () => {
    const program = plan({ network: 'private', ownership: MAPPED });
    const made = indexOf(program, (step) => step.call === 'unshare' && step.args[0] === CLONE.NEWNET);
    expect(made).toBeGreaterThan(indexOf(program, by('map the ids')));
    const asked = indexOf(program, by('connect the container'));
    expect(asked).toBeGreaterThan(made);
    expect(program.slice(asked, asked + 2).map(({ call }) => call)).toEqual(['write', 'read']);
    expect(asked + 1).toBeLessThan(fork(program));
  });

  it.for([
    [{ network: 'none' }, CLONE.NEWNET],
    [{ network: 'host' }, 0],
    [{ network: 'private' }, 0],
  ] as const)('with %j has namespaces of its own, and of the network %i', ([changes, network]) => {
    const program = plan(changes);
    const { NEWNS, NEWPID, NEWUTS, NEWIPC, NEWCGROUP } = CLONE;
    const flags = NEWNS | NEWPID | NEWUTS | NEWIPC | NEWCGROUP | SIGNAL.CHLD;
    expect(program[fork(program)]?.args).toEqual([flags | network]);
    expect(program.some(by('loopback'))).toBe(changes.network !== 'host');
  });

  it('with keep-id finds what is the user’s as the caller, and makes what is the container’s as root', () => {
    const program = plan({
      ownership: { ...MAPPED, caller: { uid: 1000, gid: 1000 } },
      accountEntries: { passwd: 'ann:*:1000:1000::/:\n', group: '' },
    });
    const root = indexOf(program, by('become root of the user namespace'));
    const last = (text: string): number => program.findLastIndex(by(text));
    const detached = program.findLastIndex(
      ({ call, what }) => call === 'open_tree' && what.startsWith('mount the volume'),
    );
    expect(Math.max(detached, last('mount the overlay'))).toBeLessThan(root);
    const made = ['create /dev', 'mount /proc', 'mount a tmpfs', 'change the root'].map((text) =>
      indexOf(program, by(text)),
    );
    expect(Math.min(...made)).toBeGreaterThan(root);
    expect(root).toBeGreaterThan(fork(program));
    // The kernel forgets who the parent is with every change of credentials.
    expect(program.slice(root, pivot(program)).some(by('parent'))).toBe(true);
    const named = indexOf(program, by('add the user to /etc/passwd'));
    expect(named).toBeGreaterThan(pivot(program));
    expect(named).toBeLessThan(indexOf(program, ({ call }) => call === 'move_mount'));
    for (const ownership of [{ kind: 'root' }, MAPPED, { ...SINGLE, caller: { uid: 1000, gid: 1000 } }] as const) {
      expect(plan({ ownership }).some(by('become root of the user namespace'))).toBe(false);
    }
  });

  it('adjusts the score for the OOM killer before it is too late for ordinary users, and only if asked to', () => {
    const program = plan({ oomScoreAdj: -5, ownership: MAPPED });
    const written = indexOf(program, ({ call, what }) => call === 'write' && what.includes('OOM killer'));
    expect(program[written]?.args.slice(1)).toEqual(['-5', 2]);
    expect(written).toBeLessThan(indexOf(program, by('create a user namespace')));
    expect(plan().some(by('OOM killer'))).toBe(false);
  });

  it('creates a time namespace before it forks, and goes without where the kernel has none', () => {
    const program = plan();
    const created = program.slice(0, fork(program)).findLast(by('time namespace'));
    expect(created).toMatchObject({ call: 'unshare', args: [CLONE.NEWTIME], ignore: ['EINVAL', 'ENOSPC'] });
  });

  it('with a terminal passes signals to the group and has a console', () => {
    const program = plan();
    expect(program[fork(program)]?.fork).toEqual({ forward: 'group' });
    expect(program.some(by('/dev/console'))).toBe(true);
    const without = plan({ terminal: undefined });
    expect(without[fork(without)]?.fork).toEqual({ forward: 'process' });
    expect(without.some(by('/dev/console'))).toBe(false);
  });

  it("binds the host's /sys only where it cannot be mounted anew", () => {
    const binds = (changes: Partial<PlanRequest>): boolean =>
      plan(changes).find(({ what }) => what === 'mount /sys')?.call === 'open_tree';
    expect(binds({ ownership: { kind: 'root' }, network: 'host' })).toBe(false);
    expect(binds({ ownership: MAPPED, network: 'none' })).toBe(false);
    expect(binds({ ownership: MAPPED, network: 'host' })).toBe(true);
  });

  it('gives terminals to group 5 where it exists', () => {
    const has = (ownership: PlanRequest['ownership']): boolean =>
      plan({ ownership }).some(({ what, args }) => what === 'mount /dev/pts' && args.includes('gid'));
    expect([has({ kind: 'root' }), has(MAPPED), has(SINGLE)]).toEqual([true, true, false]);
  });

  it('sets groups wherever it may', () => {
    const sets = (ownership: PlanRequest['ownership']): boolean => plan({ ownership }).some(by('set the groups'));
    expect([sets({ kind: 'root' }), sets(MAPPED), sets(SINGLE)]).toEqual([true, true, false]);
  });

  it('keeps out of the way of volumes over files of /etc', () => {
    const provided = (target: string): string[] => {
      const mounts = [{ kind: 'volume', source: '/x', sourceKind: 'file', target, readOnly: true }] as const;
      return [...new Set(plan({ mounts }).map(({ what }) => what))].filter((what) => what.startsWith('provide /etc/'));
    };
    expect(provided('/etc/hosts')).toEqual(['provide /etc/resolv.conf', 'provide /etc/hostname']);
    expect(provided('/etc')).toEqual([]);
    expect(provided('/etc/hosts.d')).toHaveLength(3);
  });

  it('tries the overlay without volatile where the kernel does not know it', () => {
    const overlays = plan()
      .filter(({ call, args }) => call === 'mount' && args[0] === 'overlay')
      .map(({ args, ignore }) => [typeof args[4] === 'string' && args[4].includes('volatile'), ignore]);
    expect(overlays).toEqual([
      [true, ['EINVAL']],
      [false, undefined],
    ]);
  });

  it('never hands on more capabilities than the caller has', () => {
    const capset = (permitted: bigint): string =>
      dataOf(
        find(plan({ permitted }), ({ call }) => call === 'capset'),
        1,
      ).toString('hex');
    expect(capset((1n << 41n) - 1n).slice(0, 24)).toBe('fb2504a8fb2504a800000000');
    expect(capset(0xa80425fbn & ~(1n << 27n)).slice(0, 24)).toBe('fb2504a0fb2504a000000000');
  });

  it('becomes a command without a slash by its first place on the PATH', () => {
    const program = plan();
    const tail = program
      .slice(-5)
      .map(({ call, args, skipOnSuccess }) => [call, call === 'execve' ? args[0] : args[1], skipOnSuccess]);
    expect(tail).toEqual([
      ['faccessat2', '/bin/sh', 2],
      ['faccessat2', '/usr/bin/sh', 2],
      ['faccessat2', '', undefined],
      ['execve', '/bin/sh', undefined],
      ['execve', '/usr/bin/sh', undefined],
    ]);
    expect(plan({ command: ['./x'] }).at(-1)?.args[0]).toBe('./x');
    expect(plan({ command: ['./x'] }).filter(({ call }) => call === 'execve')).toHaveLength(1);
  });

  it('never looks at a saved result before it can be there', () => {
    for (const changes of [
      {},
      { ownership: SINGLE, network: 'host' },
      { root: { ...REQUEST.root, mount: { type: 'bind', source: 'rootfs' } } },
    ] as const) {
      const saved = new Set<string>();
      for (const { args, save, what } of plan(changes)) {
        for (const arg of args)
          if (typeof arg === 'object' && 'result' in arg) expect([what, saved.has(arg.result)]).toEqual([what, true]);
        if (save !== undefined) saved.add(save);
      }
    }
  });
});
