import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { PLAIN_USER, SUBID_USER } from '../support/test-users.ts';
import { diffTrees, listTree, type Tree } from '../support/tree-listing.ts';
import { CALLERS } from './support/callers.ts';
import { openCliHome, type CliHome } from './support/cli-home.ts';
import { listContainer, withoutMounts, type ContainerTree } from './support/container-tree.ts';
import { execute } from './support/execute.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

const MINIMUM_DEBIAN = 100_000_000; // bytes: large enough to be a real distribution

describe('a container sees what umoci unpacks', requires(...TEST_BED_NEEDS, 'ordinary-users'), () => {
  let folder: string;
  const expected: Record<string, Tree> = {};

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mydocker-e2e-umoci-'));
    for (const tag of ['layered', 'debian', 'big-ids']) {
      execute('umoci', ['unpack', '--image', `${testBed().layout}:${tag}`, join(folder, tag)]);
      expected[tag] = withoutDevices(asDockerUnpacks(listTree(join(folder, tag, 'rootfs'))));
    }
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['gzip layers', 'layered', 'test/layered:gzip'],
    ['zstd layers', 'layered', 'test/layered:zstd'],
    ['uncompressed layers', 'layered', 'test/layered:plain'],
    ['ids beyond 2^21', 'big-ids', 'test/big-ids:latest'],
    ['Debian', 'debian', 'library/debian:latest'],
  ])('as root, in an overlay: %s', async (_, tag, name) => {
    const home = openCliHome();
    try {
      expectSame(expected[tag], await pullAndList(home, name));
    } finally {
      home.remove();
    }
  });

  it.each(CALLERS)('in a copy, where the store knows that no overlay can be mounted, as $caller', async ({ user }) => {
    const home = openCliHome(user);
    try {
      const seen = await pullAndList(home, 'test/layered:gzip', async () => rememberNoOverlay(home));
      expect(seen.rootType).not.toBe('overlay');
      const same = expected['layered'];
      expectSame(user === PLAIN_USER ? ownedByRoot(same) : same, seen);
    } finally {
      home.remove();
    }
  });

  it.each([
    ['gzip layers', 'layered', 'test/layered:gzip'],
    ['Debian', 'debian', 'library/debian:latest'],
  ])('in a copy, where the store itself is on an overlay, as in many a container: %s', async (_, tag, name) => {
    await onOverlay(folder, async (parent) => {
      const home = openCliHome(undefined, parent);
      try {
        expectSame(expected[tag], await pullAndList(home, name));
      } finally {
        home.remove();
      }
    });
  });

  it.each([
    ['gzip layers', 'layered', 'test/layered:gzip'],
    ['Debian', 'debian', 'library/debian:latest'],
  ])('as a user with subordinate ids: %s', async (_, tag, name) => {
    const home = openCliHome(SUBID_USER);
    try {
      expectSame(expected[tag], await pullAndList(home, name));
    } finally {
      home.remove();
    }
  });

  it.each([
    ['gzip layers', 'layered', 'test/layered:gzip'],
    ['ids beyond 2^21', 'big-ids', 'test/big-ids:latest'],
    ['Debian', 'debian', 'library/debian:latest'],
  ])('as a user without, everything owned by root: %s', async (_, tag, name) => {
    const home = openCliHome(PLAIN_USER);
    try {
      expectSame(ownedByRoot(expected[tag]), await pullAndList(home, name));
    } finally {
      home.remove();
    }
  });

  it('and the Debian of this test is of a real size', () => {
    const sizes = [...(expected['debian']?.values() ?? [])].map(({ size = 0n }) => Number(size));
    expect(sizes.length).toBeGreaterThan(5000);
    expect(sizes.reduceRight((sum, size) => sum + size)).toBeGreaterThan(MINIMUM_DEBIAN);
  });
});

async function pullAndList(
  home: CliHome,
  name: string,
  prepare: () => Promise<void> = async () => undefined,
): Promise<ContainerTree> {
  const image = `${testBed().registry}/${name}`;
  const pulled = await home.mydocker(['pull', '-q', image]);
  expect(pulled.code, pulled.stderr).toBe(0);
  await prepare();
  return listContainer(home, image);
}

/** Turns the answer of the store's own probe around: this machine can mount overlays. */
async function rememberNoOverlay(home: CliHome): Promise<void> {
  const ran = await home.mydocker(['run', '--rm', `${testBed().registry}/test/layered:gzip`, 'true']);
  expect(ran.code, ran.stderr).toBe(0);
  const path = join(home.store, 'runner/driver.json');
  const remembered = JSON.parse(readFileSync(path, 'utf8')) as { overlay: boolean };
  expect(remembered.overlay).toBe(true);
  writeFileSync(path, JSON.stringify({ ...remembered, overlay: false }));
}

/** What umoci and Docker decide differently, as Docker does it. */
function asDockerUnpacks(tree: Tree): Tree {
  const root = tree.get('/');
  if (root !== undefined) Object.assign(root, { mode: '0755', uid: 0, gid: 0 }); // an entry for `.` is ignored
  for (const entry of tree.values()) if ((entry.mtime ?? 0n) < 0n) entry.mtime = 0n; // nothing is older than 1970
  return tree;
}

function expectSame(expected: Tree | undefined, { tree, mountPoints }: ContainerTree): void {
  if (expected === undefined) throw new Error('umoci unpacked no such image');
  expect(diffTrees(withoutMounts(expected, mountPoints), withoutMounts(tree, mountPoints))).toEqual([]);
}

/** These are left out: a container could not use them. */
function withoutDevices(tree: Tree): Tree {
  return new Map([...tree].filter(([, { type }]) => !type.endsWith('device')));
}

/** A single-id map knows no other owner. */
function ownedByRoot(tree: Tree | undefined): Tree {
  return new Map([...(tree ?? [])].map(([path, entry]) => [path, { ...entry, uid: 0, gid: 0 }]));
}

/** Calls `use` with a folder that is itself an overlay: the kernel takes no upper folder there, as in many a container. */
async function onOverlay(folder: string, use: (parent: string) => Promise<void>): Promise<void> {
  const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const path of [lower, upper, work, merged]) mkdirSync(path, { recursive: true });
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, merged]);
  try {
    await use(merged);
  } finally {
    execFileSync('umount', [merged]);
    for (const path of [lower, upper, work, merged]) rmSync(path, { recursive: true, force: true });
  }
}
