import { describe, expect, it } from 'vitest';
import type { HostFinding } from '../../../src/container/doctor/host-finding.ts';
import { judgeMachine } from '../../../src/container/doctor/judge-machine.ts';
import type { MachineFacts } from '../../../src/container/doctor/machine-facts.ts';
import { machine, mounts, RANGE } from './machine.ts';

const REFUSED = { problem: 'Cannot do it: operation not permitted', remedy: 'let it' };
const SINGLE = { kind: 'single', uid: 1000, gid: 1000 } as const;
const ROOTFS = '/ / rw - ext4 /dev/sda rw';

type Row = [title: string, facts: MachineFacts, wanted: Partial<Record<keyof HostFinding, unknown>>];

describe('judgeMachine()', () => {
  it('finds nothing where nothing is missing, as an ordinary user and as root', () => {
    const root = { uid: 0, privileged: true, ownership: { kind: 'root' } as const };
    for (const facts of [machine(), machine({ host: root })]) {
      expect(judgeMachine(facts).filter(({ state }) => state !== 'ok')).toEqual([]);
    }
  });

  it.each<Row>([
    [
      'a kernel without mount_setattr',
      machine({ host: { kernelRelease: '5.11.22-1' } }),
      { check: 'kernel', state: 'problem', found: match(/^Linux 5\.12 or newer is needed, this is 5\.11\.22-1/) },
    ],
    ['the oldest kernel', machine({ host: { kernelRelease: '5.12.0' } }), { check: 'kernel', state: 'ok' }],
    ['a newer kernel', machine({ host: { kernelRelease: '6.1' } }), { check: 'kernel', state: 'ok' }],
    ['a release that is none', machine({ host: { kernelRelease: 'x' } }), { check: 'kernel', state: 'problem' }],
    [
      'a hostile os-release',
      machine({ osRelease: 'PRETTY_NAME="\u001b]0;x\u0007"' }),
      { check: 'kernel', found: match(/\\x1b\]0;x\\x07$/) },
    ],
    ['a machine without a runner', machine({ machine: 'riscv64' }), { check: 'machine', state: 'problem' }],
    ['an old Node', machine({ nodeVersion: 'v20.19.0' }), { check: 'node', state: 'problem' }],
    ['a newer Node', machine({ nodeVersion: 'v24.1.0' }), { check: 'node', state: 'ok' }],
    [
      'another container',
      machine({ outerContainer: 'docker\n', host: { isFiltered: true, initialUserNamespace: false } }),
      { check: 'surroundings', state: 'ok', found: match(/\(docker\\n\), in a user namespace, behind a filter/) },
    ],
    [
      'a chroot',
      machine({ mountinfo: mounts('/x /proc rw - proc proc rw') }),
      { check: 'surroundings', state: 'note', remedy: 'run mydocker outside of it' },
    ],
    [
      'no_new_privs',
      machine({ host: { noNewPrivileges: true } }),
      { check: 'new privileges', state: 'note', remedy: match(/^start it without/) },
    ],
    [
      'user namespaces that a setting forbids',
      machine({
        trials: { userNamespace: REFUSED },
        host: { userNamespaceObstacle: { cause: 'They are off', remedy: 'switch them on' } },
      }),
      { check: 'user namespaces', state: 'problem', found: 'They are off', remedy: 'switch them on' },
    ],
    [
      'user namespaces that are refused for another reason',
      machine({ trials: { userNamespace: REFUSED } }),
      { check: 'user namespaces', state: 'problem', found: REFUSED.problem, remedy: 'let it' },
    ],
    [
      'a setting that does not hold for this program',
      machine({ host: { userNamespaceObstacle: { cause: 'AppArmor', remedy: 'x' } } }),
      { check: 'user namespaces', state: 'ok' },
    ],
    [
      'user namespaces without capabilities',
      machine({
        trials: { namespaces: REFUSED },
        host: { userNamespaceObstacle: { cause: 'AppArmor takes them', remedy: 'x' } },
      }),
      { check: 'namespaces', state: 'problem', found: 'AppArmor takes them' },
    ],
    [
      'no time namespaces',
      machine({ namespaces: ['user'] }),
      { check: 'namespaces', state: 'note', remedy: match(/CONFIG_TIME_NS/) },
    ],
    [
      'no subordinate ids',
      machine({ host: { ownership: SINGLE, mappingObstacle: { cause: 'No ids', remedy: 'add some' } } }),
      { check: 'subordinate ids', state: 'note', found: 'No ids', remedy: 'add some', meaning: match(/one user/) },
    ],
    [
      'newuidmap without its set-user-ID bit',
      machine({
        idMapTools: [{ name: 'newuidmap', path: '/usr/bin/newuidmap', hasPrivileges: false }],
        trials: { userNamespace: REFUSED },
      }),
      { check: 'subordinate ids', state: 'problem', remedy: match(/^sudo chmod u\+s \/usr\/bin\/newuidmap /) },
    ],
    [
      'a range that is too small',
      machine({
        host: { ownership: { ...RANGE, gids: [{ inside: 0, outside: 1000, count: 1001 }] } },
        sources: { userName: 'ann', subuid: 'ann:100000:65536', subgid: 'ann:100000:1000' },
      }),
      {
        check: 'subordinate ids',
        state: 'note',
        found: '65536 users and 1000 groups',
        remedy: 'echo "ann:101000:65536" | sudo tee -a /etc/subgid',
      },
    ],
    [
      "a range that overlaps another user's",
      machine({ sources: { userName: 'ann', subuid: 'ann:100000:65536\nb\u001bob:165535:2\n', subgid: '' } }),
      { check: 'subordinate ids', state: 'note', found: match(/^\/etc\/subuid .* that b\\x1bob has as well$/) },
    ],
    [
      'ranges that touch, and two of the same user',
      machine({
        sources: { userName: 'ann', subuid: 'ann:100000:65536\n1000:100000:9\nbob:165536:2\n', subgid: '' },
      }),
      { check: 'subordinate ids', state: 'ok' },
    ],
    [
      'a covered /proc',
      machine({
        trials: { proc: REFUSED },
        mountinfo: mounts(
          ROOTFS,
          '/ /proc rw - proc proc rw',
          '/ /proc/sys/fs/binfmt_misc rw - autofs x rw',
          '/ /proc/kcore rw - devtmpfs x rw',
          '/ /proc/kcore rw - devtmpfs x rw',
        ),
      }),
      {
        check: '/proc',
        state: 'problem',
        found: match(/see it: \/proc\/kcore$/),
        remedy: match(/systempaths=unconfined/),
      },
    ],
    ['no sysfs', machine({ mountinfo: mounts(ROOTFS) }), { check: '/sys', state: 'note' }],
    [
      'no seccomp',
      machine({ trials: { seccomp: REFUSED } }),
      { check: 'seccomp', state: 'problem', remedy: match(/CONFIG_SECCOMP_FILTER/) },
    ],
    [
      'AppArmor',
      machine({ apparmorProfile: 'unconfined' }),
      { check: 'security modules', state: 'ok', found: 'AppArmor, this process: unconfined' },
    ],
    ['SELinux', machine({ selinux: '1' }), { check: 'security modules', found: 'SELinux, enforcing' }],
    ['TIOCSTI', machine({ legacyTiocsti: '1' }), { check: 'terminal', state: 'ok', found: match(/allows TIOCSTI/) }],
    [
      'no session keyring',
      machine({ trials: { keyring: REFUSED } }),
      { check: 'keyrings', state: 'note', found: match(/ \(4 of 200 keys of this user in use\)$/) },
    ],
    [
      'limits that cannot be enforced',
      machine({
        trials: {
          limits: {
            memory: undefined,
            cpu: { problem: 'Cannot enforce --cpus: permission denied', remedy: 'ask root' },
            cpuset: { problem: 'Cannot enforce --cpuset-cpus: permission denied', remedy: 'ask root' },
            pids: undefined,
          },
        },
      }),
      {
        check: 'limits',
        state: 'note',
        found: '--cpus, --cpuset-cpus cannot be enforced: permission denied',
        remedy: 'ask root',
      },
    ],
    [
      'a store that cannot be opened',
      machine({ store: { refusal: REFUSED }, trials: { overlay: 'untried' } }),
      { check: 'store', state: 'problem', found: REFUSED.problem, remedy: 'let it' },
    ],
    [
      'a read-only store',
      machine({ mountinfo: mounts(ROOTFS, '/ /home ro,nosuid - xfs x rw') }),
      { check: 'store', state: 'problem', found: '/home/ann/.mydocker on xfs, ro, nosuid' },
    ],
    [
      'a full disk',
      machine({ store: { freeBytes: 999e6 } }),
      {
        check: 'disk space',
        state: 'note',
        found: '999MB free, 1000000 files',
        remedy: match(/mydocker system prune/),
      },
    ],
    ['a disk without inodes', machine({ store: { freeFiles: 3 } }), { check: 'disk space', state: 'note' }],
    [
      'a disk that counts no inodes',
      machine({ store: { freeFiles: 0, maxFiles: 0 } }),
      { check: 'disk space', state: 'ok' },
    ],
    [
      'no overlayfs',
      machine({ store: { driver: 'copy' }, trials: { overlay: REFUSED } }),
      { check: 'layers', state: 'note', found: match(/^copy, as overlayfs does not work: Cannot do it/) },
    ],
    [
      'no overlayfs, and a store that nothing can be executed on',
      machine({
        store: { driver: 'copy' },
        trials: { overlay: REFUSED },
        mountinfo: mounts('/ / rw,noexec - ext4 x rw'),
      }),
      { check: 'layers', state: 'problem', remedy: match(/^mount it without noexec/) },
    ],
    [
      'an overlayfs that has come to work',
      machine({ store: { driver: 'copy' } }),
      { check: 'layers', state: 'note', remedy: match(/^delete \/home\/ann\/\.mydocker\/runner\/driver\.json/) },
    ],
    [
      'an overlayfs that works no more',
      machine({ trials: { overlay: REFUSED } }),
      { check: 'layers', state: 'problem', remedy: match(/^delete /) },
    ],
    [
      'a runner outside of the store',
      machine({ store: { runner: '/dev/shm/mydocker-x/runner' } }),
      { check: 'runner', state: 'note', found: match(/from \/dev\/shm, not/) },
    ],
    ['no place for the runner', machine({ store: { runner: REFUSED } }), { check: 'runner', state: 'problem' }],
    [
      'no program for a private network',
      machine({ programs: { pasta: undefined, slirp4netns: undefined, runc: undefined, crun: undefined } }),
      { check: 'private network', state: 'note', remedy: 'sudo apt-get install passt' },
    ],
    [
      'no right to the tunnel device',
      machine({ tunDevice: 'forbidden' }),
      { check: 'private network', state: 'note', remedy: 'sudo chmod 0666 /dev/net/tun' },
    ],
    ['no tunnel device', machine({ tunDevice: 'missing' }), { check: 'private network', state: 'note' }],
    [
      'a proxy with a password',
      machine({ env: { https_proxy: 'http://me:secret@proxy:3128/x' } }),
      { check: 'environment', state: 'ok', found: 'HTTPS_PROXY is proxy:3128, with a login' },
    ],
    [
      'a proxy that is none',
      machine({ env: { HTTP_PROXY: 'socks5://me:secret@proxy' } }),
      { check: 'environment', state: 'note', found: "HTTP_PROXY is no proxy's URL" },
    ],
    [
      'certificates that cannot be read',
      machine({ env: { NODE_EXTRA_CA_CERTS: '/x\n' }, extraCaReadable: false }),
      { check: 'environment', state: 'note', found: 'NODE_EXTRA_CA_CERTS is /x\\n, which cannot be read' },
    ],
    [
      'a container that cannot be set up',
      machine({ trials: { container: REFUSED } }),
      { check: 'container', state: 'problem', found: REFUSED.problem, remedy: 'let it' },
    ],
  ])('of %s', (_title, facts, wanted) => {
    const findings = judgeMachine(facts);
    expect(findings).toContainEqual(expect.objectContaining(wanted));
    for (const finding of findings) expect(Object.values(finding).join(' ')).not.toMatch(/secret|\p{Cc}/u);
  });

  it('blames one thing for what follows from it', () => {
    const all = { userNamespace: REFUSED, namespaces: REFUSED, proc: REFUSED, overlay: 'untried' as const };
    const findings = judgeMachine(machine({ trials: { ...all, container: REFUSED } }));
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([
      expect.objectContaining({ check: 'user namespaces', remedy: 'let it' }),
      expect.objectContaining({ check: 'container', remedy: undefined }),
    ]);
  });

  it('has a remedy for all that is missing', () => {
    const everything = machine({
      tunDevice: 'missing',
      namespaces: [],
      mountinfo: '',
      host: { kernelRelease: '4.9', noNewPrivileges: true },
      machine: 'mips',
      nodeVersion: 'v18.0.0',
      store: { freeBytes: 0, driver: 'copy', runner: '/tmp/a/b' },
      trials: { seccomp: REFUSED, overlay: REFUSED, keyring: REFUSED, namespaces: REFUSED, proc: REFUSED },
    });
    const missing = judgeMachine(everything).filter(({ state }) => state !== 'ok');
    expect(missing.length).toBeGreaterThan(9);
    expect(missing.filter(({ remedy }) => (remedy ?? '') === '')).toEqual([]);
    expect(missing.filter(({ meaning }) => (meaning ?? '') === '')).toEqual([]);
  });
});

function match(pattern: RegExp): unknown {
  return expect.stringMatching(pattern);
}
