import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Mount, SnapshotDriver } from '../../src/snapshot/mount.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { diffTrees, listTree } from '../support/tree-listing.ts';
import type { Tree } from '../support/tree-listing.ts';

/** What every snapshot driver does; as root. Call it inside a `describe`. */
export function conformsAsSnapshotDriver(makeDriver: (runnerFolder: string) => SnapshotDriver): void {
  it('shows the layers as one tree: types, bytes, owners, modes, times, attributes, hard links (P2)', async () => {
    const store = await openLayers(fillLower, fillUpper);
    const tree = await prepared(store, makeDriver(store.runner), async (root) => listBelow(root));
    expect(diffTrees(expectedTree(store.layers), tree)).toEqual([]);
  });

  it('never changes a layer, whatever is written to the copy (X32)', async () => {
    const store = await openLayers(fillLower, fillUpper);
    const before = store.layers.map((layer) => listTree(join(layer, 'fs')));
    await prepared(store, makeDriver(store.runner), async (root) => {
      execFileSync('sh', [
        '-c',
        'echo changed > "$1/etc/kept"; chmod 000 "$1/etc"; rm -r "$1/d"; rm "$1/hard-a"',
        'sh',
        root,
      ]);
    });
    const after = store.layers.map((layer) => listTree(join(layer, 'fs')));
    expect(before.flatMap((tree, index) => diffTrees(tree, after[index] ?? new Map()))).toEqual([]);
  });

  it('gives each copy of its own', async () => {
    const store = await openLayers(fillLower);
    const write = async (root: string): Promise<void> => writeFileSync(join(root, 'etc/kept'), 'changed');
    await prepared(store, makeDriver(store.runner), write);
    const second = await prepared(store, makeDriver(store.runner), async (root) => listBelow(root));
    expect(diffTrees(listBelow(join(store.layers[0] ?? '', 'fs')), second)).toEqual([]);
  });

  it('takes 127 layers (C03)', async () => {
    const fill = Array.from(
      { length: 127 },
      (_, index) => (tree: string) => writeFileSync(join(tree, `file-${index}`), ''),
    );
    const store = await openLayers(...fill);
    const tree = await prepared(store, makeDriver(store.runner), async (root) => listBelow(root));
    expect([...tree.values()].filter(({ type }) => type === 'file')).toHaveLength(127);
  });

  it('takes any name for the folder of the store (L10)', async () => {
    const store = openLayersIn(join(await temporaryFolder(), String.raw`a:b,c\d e`), [fillLower]);
    const tree = await prepared(store, makeDriver(store.runner), async (root) => listBelow(root));
    expect(tree.get('/etc/kept')).toMatchObject({ type: 'file' });
  });
}

interface Layers {
  root: string;
  runner: string;
  /** Bottom first. */
  layers: string[];
}

async function openLayers(...fill: Array<(tree: string) => void>): Promise<Layers> {
  return openLayersIn(join(await temporaryFolder(), 'store'), fill);
}

function openLayersIn(root: string, fill: Array<(tree: string) => void>): Layers {
  for (const name of ['layers', 'containers', 'runner']) mkdirSync(join(root, name), { recursive: true });
  const layers = fill.map((fillTree, index) => {
    const tree = join(root, 'layers', index.toString(16).padStart(64, '0'), 'fs');
    mkdirSync(tree, { recursive: true });
    fillTree(tree);
    return join(tree, '..');
  });
  return { root, layers, runner: join(root, 'runner') };
}

const OLD = 1_000_000_000.25; // seconds since 1970, with a fraction

function fillLower(tree: string): void {
  for (const folder of ['etc', 'd', 'd/sub', 'opaque', 'gone']) mkdirSync(join(tree, folder));
  for (const file of ['etc/kept', 'etc/replaced', 'd/old', 'd/sub/deep', 'opaque/old', 'gone/file', 'was-a-file']) {
    writeFileSync(join(tree, file), `lower ${file}`);
  }
  writeFileSync(join(tree, 'hard-a'), 'linked');
  linkSync(join(tree, 'hard-a'), join(tree, 'hard-b'));
  symlinkSync('/etc/kept', join(tree, 'link'));
  execFileSync('mkfifo', [join(tree, 'fifo')]);
  execFileSync('mknod', [join(tree, 'device'), 'c', '1', '3']);
  chownSync(join(tree, 'etc/kept'), 1234, 5678);
  chmodSync(join(tree, 'etc/kept'), 0o4755);
  execFileSync('setfattr', ['-n', 'user.note', '-v', 'hello', join(tree, 'etc/kept')]);
  execFileSync('setfattr', ['-n', 'user.note', '-v', 'folder', join(tree, 'd')]);
  utimesSync(join(tree, 'd/sub/deep'), OLD, OLD);
  chmodSync(join(tree, 'd/sub'), 0o555);
  utimesSync(join(tree, 'd/sub'), OLD, OLD);
}

function fillUpper(tree: string): void {
  for (const folder of ['etc', 'opaque', 'was-a-file']) mkdirSync(join(tree, folder));
  writeFileSync(join(tree, 'etc/replaced'), 'upper');
  writeFileSync(join(tree, 'opaque/new'), 'upper');
  execFileSync('setfattr', ['-n', 'trusted.overlay.opaque', '-v', 'y', join(tree, 'opaque')]);
  execFileSync('mknod', [join(tree, 'gone'), 'c', '0', '0']);
  chmodSync(join(tree, 'etc'), 0o750);
}

/** What the two layers above stand for, put together by hand. */
function expectedTree([lower = '', upper = '']: string[]): Tree {
  const [below, above] = [listTree(join(lower, 'fs')), listTree(join(upper, 'fs'))];
  const merged: Tree = new Map([...below, ...above]);
  for (const path of ['/', '/gone', '/gone/file', '/opaque/old']) merged.delete(path);
  const opaque = merged.get('/opaque');
  if (opaque !== undefined) merged.set('/opaque', { ...opaque, xattrs: {} });
  return merged;
}

/** Without the root folder itself: its attributes are set by whoever mounts the snapshot. */
function listBelow(root: string): Tree {
  const tree = listTree(root);
  tree.delete('/');
  return tree;
}

/** Prepares a snapshot, and calls `use` with its root, mounted in a mount namespace of its own. */
async function prepared<T>(store: Layers, driver: SnapshotDriver, use: (root: string) => Promise<T>): Promise<T> {
  const folder = join(store.root, 'containers', Math.random().toString(16).slice(2));
  mkdirSync(folder);
  const mount = await driver.prepare({ folder, layers: store.layers, ephemeral: false });
  const pid = await enterMount(folder, mount);
  return use(`/proc/${pid}/root${join(folder, 'rootfs')}`);
}

async function enterMount(folder: string, mount: Mount): Promise<number> {
  const [source, ...options] =
    mount.type === 'overlay' ? ['overlay', '-t', 'overlay', '-o', mount.options.join(',')] : [mount.source, '--bind'];
  const script = 'cd "$1" && shift && mount "$@" rootfs && echo mounted && exec cat';
  const child = spawn('unshare', ['-m', 'sh', '-c', script, 'sh', folder, ...options, source], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  });
  const [output] = (await once(child.stdout, 'data')) as [Buffer];
  expect(output.toString()).toBe('mounted\n');
  return child.pid ?? 0;
}
