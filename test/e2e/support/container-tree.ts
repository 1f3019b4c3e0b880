import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { listTree, type Tree, type TreeEntry } from '../../support/tree-listing.ts';
import type { CliHome } from './cli-home.ts';
import { descendantsOf } from './process-tree.ts';

/** The file system that a container sees, and where something is mounted over it. */
export interface ContainerTree {
  tree: Tree;
  /** The file system under the root: `overlay`, or where the copy lies. */
  rootType: string;
  mountPoints: string[];
}

/** Runs `image` and lists, from outside and with the container's own ids, what it sees beneath its mounts. */
export async function listContainer(home: CliHome, image: string): Promise<ContainerTree> {
  const command = ['/bin/sh', '-c', 'echo started; exec cat'];
  const running = home.start(['run', '--rm', '-i', image, ...command], { stdin: 'open' });
  await running.says('started');
  try {
    const init = descendantsOf(running.pid).find(({ innerPid }) => innerPid === 1);
    if (init === undefined) throw new Error('the container has no process 1');
    const mounts = mountsOf(init.pid);
    const mountPoints = [...mounts.keys()].filter((path) => path !== '/');
    const tree = listTree(`/proc/${init.pid}/root`, new Set(mountPoints));
    const [uids, gids] = [readIdMap(init.pid, 'uid_map'), readIdMap(init.pid, 'gid_map')];
    for (const entry of tree.values()) translate(entry, uids, gids);
    return { tree, rootType: mounts.get('/') ?? '', mountPoints };
  } finally {
    running.child.stdin?.end();
    await running.ended;
  }
}

/** Leaves out of a listing what a container cannot show: what is mounted over, and the times of the folders around it. */
export function withoutMounts(tree: Tree, mountPoints: readonly string[]): Tree {
  const beneath = [...tree].filter(
    ([path]) => !mountPoints.some((mount) => path === mount || path.startsWith(`${mount}/`)),
  );
  const around = new Set(mountPoints.map((mount) => dirname(mount)));
  return new Map(beneath.map(([path, entry]) => [path, around.has(path) ? withoutTime(entry) : entry]));
}

function withoutTime(entry: TreeEntry): TreeEntry {
  const { mtime: _, ...rest } = entry;
  return rest;
}

/** Mount point -> type of its file system. */
function mountsOf(pid: number): Map<string, string> {
  const lines = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trimEnd().split('\n');
  return new Map(lines.map((line) => [line.split(' ')[4] ?? '', / - (\S+)/.exec(line)?.[1] ?? '']));
}

interface IdRange {
  inside: number;
  outside: number;
  count: number;
}

function readIdMap(pid: number, name: 'uid_map' | 'gid_map'): IdRange[] {
  return readFileSync(`/proc/${pid}/${name}`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([inside = 0, outside = 0, count = 0]) => ({ inside, outside, count }));
}

function translate(entry: TreeEntry, uids: readonly IdRange[], gids: readonly IdRange[]): void {
  entry.uid = toInside(entry.uid, uids);
  entry.gid = toInside(entry.gid, gids);
  const capability = entry.xattrs['security.capability'];
  if (capability !== undefined) entry.xattrs['security.capability'] = withoutNamespace(capability);
}

function toInside(id: number, ranges: readonly IdRange[]): number {
  const range = ranges.find(({ outside, count }) => id >= outside && id < outside + count);
  return range === undefined ? -1 : id - range.outside + range.inside;
}

/** Inside a user namespace the kernel writes version 3, which is version 2 with the namespace's root id at the end. */
function withoutNamespace(hex: string): string {
  const isVersion3 = hex.startsWith('0x') && hex.slice(8, 10) === '03';
  return isVersion3 ? `${hex.slice(0, 8)}02${hex.slice(10, 42)}` : hex;
}
