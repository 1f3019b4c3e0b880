import { release } from 'node:os';
import { describe, expect, it } from 'vitest';
import { describeHost, readHostFacts, type HostSources } from '../../src/linux/host-facts.ts';
import { obstacleText } from '../../src/linux/obstacles.ts';

const ALL = 'CapEff:\t000001ffffffffff\nNoNewPrivs:\t0\n';
const NONE = 'CapEff:\t0000000000000000\nNoNewPrivs:\t0\n';
const INITIAL = 'user:[4026531837]';
const IDENTITY = '         0          0 4294967295\n';

function user(more: Partial<HostSources> = {}): HostSources {
  return {
    uid: 1000,
    gid: 1001,
    kernelRelease: '6.1.0',
    status: NONE,
    uidMap: IDENTITY,
    gidMap: IDENTITY,
    userNamespace: INITIAL,
    maxUserNamespaces: '1000\n',
    unprivilegedUserNamespaces: '',
    apparmorRestriction: '',
    userName: 'ann',
    subuid: 'ann:100000:65536\n',
    subgid: 'ann:200000:65536\n',
    idMapTools: true,
    osRelease: 'ID=debian\n',
    ...more,
  };
}

const root = (more: Partial<HostSources> = {}): HostSources =>
  user({ uid: 0, gid: 0, userName: 'root', status: ALL, ...more });

describe('describeHost()', () => {
  it('gives real ids to root of the machine', () => {
    expect(describeHost(root())).toMatchObject({
      privileged: true,
      ownership: { kind: 'root' },
      mappingObstacle: undefined,
    });
  });

  it('gives granted ids to an ordinary user', () => {
    const facts = describeHost(user());
    expect(facts).toMatchObject({ privileged: false, mappingObstacle: undefined, userNamespaceObstacle: undefined });
    expect(facts.ownership).toEqual({
      kind: 'mapped',
      uids: [
        { inside: 0, outside: 1000, count: 1 },
        { inside: 1, outside: 100_000, count: 65_536 },
      ],
      gids: [
        { inside: 0, outside: 1001, count: 1 },
        { inside: 1, outside: 200_000, count: 65_536 },
      ],
    });
  });

  it.each<[string, HostSources, RegExp]>([
    [
      'no range for users',
      user({ subuid: 'bob:1:2\n' }),
      /subuid: echo "ann:100000:65536" \| sudo tee -a \/etc\/subuid$/,
    ],
    ['no range for groups', user({ subgid: '' }), /subgid: echo "ann:100000:65536" \| sudo tee -a \/etc\/subgid$/],
    [
      'no range at all',
      user({ subuid: 'bob:100000:65536\n', subgid: '' }),
      /subuid and \/etc\/subgid: echo "ann:165536:65536" \| sudo tee -a \/etc\/subuid \/etc\/subgid$/,
    ],
    ['no name', user({ userName: undefined }), /"1000:265536:65536"/],
    ['a hostile name', user({ userName: '$(reboot)' }), /"1000:265536:65536"/],
    ['no newuidmap', user({ idMapTools: false }), /newuidmap.*: sudo apt-get install uidmap$/],
    ['no_new_privs', user({ status: 'CapEff:\t0\nNoNewPrivs:\t1\n' }), /no_new_privs/],
  ])('gives the own id alone with %s, and says why', (_title, sources, why) => {
    const facts = describeHost(sources);
    expect(facts.ownership).toEqual({ kind: 'single', uid: 1000, gid: 1001 });
    expect(obstacleText(facts.mappingObstacle ?? { cause: '', remedy: '' })).toMatch(why);
  });

  it('gives root of a user namespace what that has', () => {
    const nested = {
      userNamespace: 'user:[4026532000]',
      uidMap: '0 1000 1\n1 100000 65536\n',
      gidMap: '0 1000 1\n1 100000 65536\n',
    };
    expect(describeHost(root(nested))).toMatchObject({
      privileged: false,
      initialUserNamespace: false,
      ownership: {
        kind: 'mapped',
        uids: [
          { inside: 0, outside: 0, count: 1 },
          { inside: 1, outside: 1, count: 65_536 },
        ],
      },
    });
    const single = { ...nested, uidMap: '0 1000 1\n', gidMap: '0 1000 1\n', subuid: '', subgid: '' };
    expect(describeHost(root(single)).ownership).toEqual({ kind: 'single', uid: 0, gid: 0 });
  });

  it('does not take a namespace that maps all ids to themselves for the initial one', () => {
    expect(describeHost(root({ userNamespace: 'user:[4026532000]' })).privileged).toBe(false);
  });

  it('does not take root without CAP_SYS_ADMIN for privileged', () => {
    const facts = describeHost(root({ status: 'CapEff:\t00000000a80425fb\nNoNewPrivs:\t0\n' }));
    expect(facts).toMatchObject({ privileged: false, capabilities: 0xa80425fbn, ownership: { kind: 'mapped' } });
  });

  it.each<[string, Partial<HostSources>, RegExp]>([
    ['max_user_namespaces', { maxUserNamespaces: '0\n' }, /^echo "user\.max_user_namespaces = 28000" \| sudo tee/],
    ['unprivileged_userns_clone', { unprivilegedUserNamespaces: '0\n' }, /"kernel\.unprivileged_userns_clone = 1"/],
    ['AppArmor', { apparmorRestriction: '1\n' }, /"kernel\.apparmor_restrict_unprivileged_userns = 0"/],
    [
      'the host of a container',
      { maxUserNamespaces: '0\n', userNamespace: 'user:[4026532000]' },
      /^on the host, echo "user\./,
    ],
  ])('says what %s forbids', (_title, sources, what) => {
    expect(describeHost(user(sources)).userNamespaceObstacle?.remedy).toMatch(what);
    expect(describeHost(root({ ...sources, userNamespace: INITIAL })).userNamespaceObstacle).toBeUndefined();
  });
});

describe('readHostFacts()', () => {
  it('looks at this process', () => {
    const facts = readHostFacts();
    expect(facts).toMatchObject({ uid: process.geteuid?.(), gid: process.getegid?.(), kernelRelease: release() });
    if (facts.privileged) expect(facts.ownership).toEqual({ kind: 'root' });
  });
});
