import { readSync } from 'node:fs';

import { Refusal } from './refusal.ts';
import { MANIFEST_HEAD } from './tree-manifest.ts';
import type { TreeRecord } from './tree-record.ts';

/** What is to be at one path. Two names of one file share the record, which makes them recognizable. */
export interface TreeNode {
  /** Undefined for a folder of which no record says anything. Never a hard link. */
  record: TreeRecord | undefined;
  /** By name, one character per byte; empty for what is not a folder. */
  children: Map<string, TreeNode>;
  /** Whether the file has, or has had, another name. */
  isLinked: boolean;
}

/**
 * Reads a tree manifest from an open file and answers the root of the tree that it ends with. Throws a `Refusal`
 * (ERR_STORE_DAMAGED) for one that is damaged or cut off.
 */
export function readManifest(fd: number): TreeNode {
  const root: TreeNode = newNode(undefined);
  let state: 'head' | 'records' | 'end' = 'head';
  let count = 0;
  for (const line of linesOf(fd)) {
    const value = parseLine(line);
    if (state === 'end') throw damaged();
    if (state === 'head') {
      if (value['format'] !== MANIFEST_HEAD.format || value['version'] !== MANIFEST_HEAD.version) throw damaged();
      state = 'records';
    } else if ('records' in value) {
      if (value['records'] !== count) throw damaged();
      state = 'end';
    } else {
      apply(root, value as unknown as TreeRecord);
      count += 1;
    }
  }
  if (state !== 'end') throw damaged();
  return root;
}

function damaged(): Refusal {
  return new Refusal('its tree manifest is damaged', { code: 'ERR_STORE_DAMAGED' });
}

function apply(root: TreeNode, record: TreeRecord): void {
  const names = record.path.split('/');
  const name = names.pop() ?? '';
  const parent = enter(root, names);
  if (record.type === 'removed') {
    parent.children.delete(name);
  } else if (record.type === 'hardlink') {
    const target = find(root, record.target);
    if (target?.record === undefined) throw damaged();
    target.isLinked = true;
    parent.children.set(name, { ...newNode(target.record), isLinked: true });
  } else {
    const existing = parent.children.get(name);
    const node = newNode(record);
    if (record.type === 'folder' && existing !== undefined && isFolder(existing)) node.children = existing.children;
    parent.children.set(name, node);
  }
}

function newNode(record: TreeRecord | undefined): TreeNode {
  return { record, children: new Map(), isLinked: false };
}

/** Goes to a folder; what is on the way and not a folder has been replaced by one that comes later. */
function enter(root: TreeNode, names: readonly string[]): TreeNode {
  let node = root;
  for (const name of names) {
    let next = node.children.get(name);
    if (next === undefined || !isFolder(next)) {
      next = newNode(undefined);
      node.children.set(name, next);
    }
    node = next;
  }
  return node;
}

function find(root: TreeNode, path: string): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const name of path.split('/')) node = node?.children.get(name);
  return node;
}

function isFolder(node: TreeNode): boolean {
  return node.record === undefined || node.record.type === 'folder';
}

function parseLine(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // as below
  }
  throw damaged();
}

const READ_SIZE = 256 * 1024;

function* linesOf(fd: number): Generator<string> {
  const buffer = Buffer.alloc(READ_SIZE);
  let pending: Buffer = Buffer.alloc(0);
  let position = 0;
  for (let count = readSync(fd, buffer, 0, READ_SIZE, position); count > 0;) {
    position += count;
    pending = Buffer.concat([pending, buffer.subarray(0, count)]);
    let start = 0;
    for (let end = pending.indexOf(0x0a); end !== -1; end = pending.indexOf(0x0a, start)) {
      yield pending.toString('utf8', start, end);
      start = end + 1;
    }
    pending = pending.subarray(start);
    count = readSync(fd, buffer, 0, READ_SIZE, position);
  }
  if (pending.length > 0) throw damaged();
}
