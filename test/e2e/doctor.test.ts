import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import type { HostFinding } from '../../src/container/doctor/host-finding.ts';
import { requires } from '../support/requirements.ts';
import { PLAIN_USER, SUBID_USER } from '../support/test-users.ts';
import { CALLERS } from './support/callers.ts';
import { openCliHome, type CallOptions, type CliHome, type Ended } from './support/cli-home.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

const NEEDS = [...TEST_BED_NEEDS, 'ordinary-users', 'userns'] as const;

describe('mydocker doctor', requires(...NEEDS), () => {
  it.each(CALLERS)('finds that containers can run, and leaves nothing behind, as $caller', async ({ user }) => {
    const home = open(user);
    const { code, stdout, stderr } = await home.mydocker(['doctor']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^ok {8}container +one was set up.*\n\nContainers can run here\.\n$/m);
    expect(readdirSync(join(home.store, 'containers'))).toEqual([]);
    expect((await home.mydocker(['ps', '-aq'])).stdout).toBe('');
  });

  it('shows no secret', async () => {
    const env = { HTTPS_PROXY: 'http://me:hidden-password@127.0.0.1:9/hidden-path' };
    for (const format of [[], ['--format', 'json']]) {
      const { stdout } = await open().mydocker(['doctor', ...format], { env });
      expect(stdout).toContain('HTTPS_PROXY is 127.0.0.1:9, with a login');
      expect(stdout).not.toContain('hidden');
    }
  });

  it('tells of a registry that cannot be reached, when told to ask', async () => {
    const env = { HTTPS_PROXY: 'http://127.0.0.1:9', MYDOCKER_RETRIES: '0' };
    const { code, stdout } = await open().mydocker(['doctor', '-q', '--network', '--format', 'json'], { env });
    expect(code).toBe(0);
    expect(findingsIn(stdout)).toContainEqual(expect.objectContaining({ check: 'registry', state: 'note' }));
    expect((await open().mydocker(['doctor', '-q'], { env })).stdout).not.toContain('docker.io');
  });
});

interface Lack {
  title: string;
  user: string | undefined;
  /** For `sh -c`, as root in a mount namespace of its own, before it becomes the user. */
  asRoot?: string;
  /** What becomes the user, as root. */
  through?: string[];
  /** What starts the CLI as the user. */
  asUser?: string[];
  flags?: string[];
  /** What the failing run says in one line: cause and remedy. */
  line: RegExp;
  /** The finding that has the same remedy. */
  check: HostFinding['check'];
  state: HostFinding['state'];
}

// On a machine with other mounts of the same kind the kernel compares with those as well.
const ONLY_PROC =
  'grep " - proc " /proc/self/mountinfo | cut -d" " -f5 | grep -vx /proc | while read -r p; do umount -l "$p"; done';
const bindOver = (path: string, flag: string): string =>
  `mount --bind ${path} ${path} && mount -o remount,bind,${flag} ${path}`;

const LACKS: Lack[] = [
  {
    title: 'user namespaces that are switched off',
    user: PLAIN_USER,
    asUser: [
      'unshare',
      '--user',
      '--map-root-user',
      'sh',
      '-c',
      `echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"`,
      '-',
    ],
    line: /^User namespaces are switched off .*: on the host, echo "user\.max_user_namespaces = \d+" \| tee -a .* sysctl --system$/m,
    check: 'user namespaces',
    state: 'problem',
  },
  {
    title: 'no_new_privs',
    user: SUBID_USER,
    asUser: ['setpriv', '--no-new-privs'],
    line: /^This process runs with no_new_privs.*: start it without \(setpriv/m,
    check: 'subordinate ids',
    state: 'note',
  },
  {
    title: 'no newuidmap',
    user: SUBID_USER,
    asRoot:
      'for f in /run/wrappers /usr /usr/local ""; do for n in bin sbin; do if [ -e $f/$n/newuidmap ]; then mount --bind /dev/null $f/$n/newuidmap; fi; done; done',
    line: /^There is no newuidmap or newgidmap: .*(sudo .* (uidmap|shadow|shadow-utils|shadow-uidmap)|install newuidmap)/m,
    check: 'subordinate ids',
    state: 'note',
  },
  {
    title: 'a newuidmap without privileges',
    user: SUBID_USER,
    asRoot: bindOver('/usr/bin', 'nosuid'),
    line: /^\/usr\/bin\/newuidmap can get no privileges: sudo chmod u\+s \/usr\/bin\/newuidmap/m,
    check: 'user namespaces',
    state: 'problem',
  },
  {
    title: 'no range of ids',
    user: SUBID_USER,
    asRoot: 'mount --bind /dev/null /etc/subuid',
    line: /^No ids are granted to this user in \/etc\/subuid: echo "mydocker-subid:100000:65536" \| sudo tee -a \/etc\/subuid;/m,
    check: 'subordinate ids',
    state: 'note',
  },
  {
    title: 'a covered /proc',
    user: SUBID_USER,
    asRoot: `${ONLY_PROC}; mount -t tmpfs none /proc/fs`,
    line: /^A part of \/proc is covered here.*: start that container with "--security-opt systempaths=unconfined"/m,
    check: '/proc',
    state: 'problem',
  },
  {
    title: 'a filter that forbids unshare',
    user: SUBID_USER,
    through: ['python3', join(import.meta.dirname, 'support/without-unshare.py')],
    line: /^A filter of system calls \(seccomp\).* forbids unshare.*: start that container with "--security-opt seccomp=unconfined/m,
    check: 'user namespaces',
    state: 'problem',
  },
  {
    title: 'a read-only store',
    user: SUBID_USER,
    asRoot: bindOver('"$MYDOCKER_HOME"', 'ro'),
    line: /^Make it writable, or use another folder with --home or MYDOCKER_HOME\.$/m,
    check: 'store',
    state: 'problem',
  },
  {
    title: 'control groups of version 1 for an ordinary user, or such as nobody has handed over',
    user: PLAIN_USER,
    flags: ['--pids-limit', '10'],
    line: /^(Version 1 of control groups|The control group of this process|The kernel has no such controller).*: \S/m,
    check: 'limits',
    state: 'note',
  },
];

describe('what is missing', requires(...NEEDS, 'python3'), () => {
  it.each(LACKS)('has the same remedy in a run and in mydocker doctor: $title', async (lack) => {
    const home = open(lack.user);
    const image = await pull(home);
    const options = surroundings(home, lack);
    const ran = await home.mydocker(['run', '--rm', ...(lack.flags ?? []), image, 'true'], options);
    expect(ran.code).toBe(125);
    expect(ran.stderr).toMatch(lack.line);
    const { code, stdout } = await home.mydocker(['doctor', '-q', '--format', 'json'], options);
    const findings = findingsIn(stdout);
    const finding = findings.find(({ check, state }) => check === lack.check && state === lack.state);
    expect(finding?.remedy).toBeTruthy();
    expect(ran.stderr).toContain(finding?.remedy);
    expect(code).toBe(findings.some(({ state }) => state === 'problem') ? 1 : 0);
  });

  it('is a place to execute from, where images are copied', async () => {
    const home = open(SUBID_USER);
    const image = await pull(home);
    const memory = join(home.store, 'runner/driver.json');
    expect(await home.mydocker(['run', '--rm', image, 'true'])).toMatchObject({ code: 0 }); // which writes it
    writeFileSync(memory, readFileSync(memory, 'utf8').replace('"overlay":true', '"overlay":false'));
    const options = surroundings(home, { asRoot: bindOver('"$MYDOCKER_HOME"', 'noexec') });
    const ran = await home.mydocker(['run', '--rm', image, '/bin/true'], options);
    expect(ran.code).toBe(126);
    expect(ran.stderr).toMatch(
      /: permission denied\nThe file system of the store is mounted noexec.*: mount it without/,
    );
    const { code, stdout } = await home.mydocker(['doctor', '-q', '--format', 'json'], options);
    expect(code).toBe(1);
    const findings = findingsIn(stdout);
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'layers', remedy: `delete ${memory}, and it is tried again` }),
    );
    expect(findings).toContainEqual(expect.objectContaining({ check: 'runner', state: 'note' }));
    expect(findings).toContainEqual(expect.objectContaining({ check: 'container', state: 'problem' }));
  });

  it('is a control group that can be written to', requires('control-groups'), async () => {
    const home = open();
    const image = await pull(home);
    const remount =
      'grep -E " - cgroup2? " /proc/self/mountinfo | cut -d" " -f5 | while read -r p; do mount -o remount,bind,ro "$p"; done';
    const options = surroundings(home, { asRoot: remount });
    const ran = await home.mydocker(['run', '--rm', '--pids-limit', '9', image, 'true'], options);
    expect(ran.code).toBe(125);
    expect(ran.stderr).toMatch(
      /^The control groups are mounted read-only.*: start that container with --privileged -v/m,
    );
    const { code, stdout } = await home.mydocker(['doctor', '-q', '--format', 'json'], options);
    expect(code).toBe(0);
    const limits = findingsIn(stdout).filter(({ check }) => check === 'limits');
    expect(limits).toContainEqual(
      expect.objectContaining({ remedy: expect.stringMatching(/^The control groups are/) as string }),
    );
  });
});

describe.each(CALLERS.slice(0, 2))('inside a container of $caller', requires(...NEEDS), ({ user }) => {
  it.each([
    ['nothing', [], /^A filter of system calls \(seccomp\)/m, 'user namespaces'],
    ['no filter', ['--security-opt', 'seccomp=unconfined'], /^A part of \/proc is covered here/m, '/proc'],
    [
      'neither a filter nor covered paths',
      ['--security-opt', 'seccomp=unconfined', '--security-opt', 'systempaths=unconfined'],
      undefined,
      'container',
    ],
    ['all privileges', ['--privileged'], undefined, 'container'],
  ] as const)('with %s', async (_what, flags, line, check) => {
    const home = open(user);
    const image = await pull(home);
    const inside = async (...args: string[]): Promise<Ended> =>
      home.mydocker([
        'run',
        '--rm',
        ...flags,
        ...machineFolders(home),
        image,
        process.execPath,
        testBed().cli,
        ...args,
      ]);
    const ran = await inside('run', '--rm', image, 'true');
    expect(ran.code).toBe(line === undefined ? 0 : 125);
    if (line !== undefined) expect(ran.stderr).toMatch(line);
    const { code, stdout } = await inside('doctor', '--format', 'json');
    expect(code).toBe(line === undefined ? 0 : 1);
    const state = line === undefined ? 'ok' : 'problem';
    expect(findingsIn(stdout)).toContainEqual(expect.objectContaining({ check, state }));
  });
});

function open(user?: string): CliHome {
  const home = openCliHome(user);
  onTestFinished(() => home.remove());
  return home;
}

async function pull(home: CliHome): Promise<string> {
  const image = `${testBed().registry}/library/busybox`;
  expect(await home.mydocker(['pull', '-q', image])).toMatchObject({ code: 0, stderr: '' });
  return image;
}

/** Where the machine is as `lack` wants it, for this one process. */
function surroundings({ uid, gid }: CliHome, lack: Pick<Lack, 'asRoot' | 'through' | 'asUser'>): CallOptions {
  const { asRoot = 'true', through = [], asUser = [] } = lack;
  const prepare = ['unshare', '-m', 'sh', '-c', `set -e; { ${asRoot}; } >/dev/null; exec "$@"`, '-'];
  const become = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  return { prefix: [...prepare, ...through, ...become, ...asUser], prefixAsRoot: true };
}

/** Flags that show a container Node and the CLI, and give it a place for a store. */
function machineFolders(home: CliHome): string[] {
  const own = [dirname(dirname(process.execPath)), join(testBed().cli, '../../../../..')];
  const folders = [...new Set(['/usr', '/lib', '/lib64', ...own])].filter((path) => existsSync(path));
  const place = [
    '-v',
    `${join(home.folder, 'nested')}:/nested`,
    '-e',
    'MYDOCKER_HOME=/nested/store',
    '-e',
    'HOME=/nested',
  ];
  return [...folders.flatMap((path) => ['-v', `${path}:${path}:ro`]), ...place];
}

interface Row {
  Check: HostFinding['check'];
  State: HostFinding['state'];
  Remedy: string;
}

function findingsIn(stdout: string): Pick<HostFinding, 'check' | 'state' | 'remedy'>[] {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const { Check: check, State: state, Remedy: remedy } = JSON.parse(line) as Row;
    return { check, state, remedy };
  });
}
