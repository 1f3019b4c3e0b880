import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { requires } from './requirements.ts';
import { diffTrees, listTree } from './tree-listing.ts';

// The end-to-end tests believe an empty difference: so each kind of difference must be seen.
describe('diffTrees()', requires('setfattr'), () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'mydocker-tree-'));
    mkdirSync(join(root, 'folder'));
    for (const name of ['a', 'b', 'folder/c']) writeFileSync(join(root, name), 'same\n');
    symlinkSync('a', join(root, 'link'));
  });

  afterEach(() => rmSync(root, { recursive: true }));

  const changes: [string, RegExp, (root: string) => void][] = [
    ['content', /^\/a: digest is/, (root) => rewrite(join(root, 'a'), 'SAME\n')],
    ['size', /^\/a: size is 6, should be 5/, (root) => rewrite(join(root, 'a'), 'longer')],
    ['mode', /^\/folder: mode is 1777, should be 0755/, (root) => chmodSync(join(root, 'folder'), 0o1777)],
    [
      'time below a millisecond',
      /^\/b: mtime is/,
      (root) => execFileSync('touch', ['-d', '@1.000000001', join(root, 'b')]),
    ],
    [
      'extended attribute',
      /^\/a: xattrs is \{"user.x":"0x31"\}/,
      (root) => execFileSync('setfattr', ['-n', 'user.x', '-v', '1', join(root, 'a')]),
    ],
    ['link target', /^\/link: target is b, should be a/, (root) => relink(join(root, 'link'), 'b')],
    ['new file', /^\/new: is there, and should not be/, (root) => writeFileSync(join(root, 'new'), '')],
    ['lost file', /^\/folder\/c: is missing \(file\)/, (root) => unlinkSync(join(root, 'folder/c'))],
    ['hard link', /^\/a: sameFileAs is \/a, should be undefined/, (root) => hardLink(join(root, 'a'), join(root, 'b'))],
  ];

  it.each(changes)('sees a difference of %s', (_, message, change) => {
    const before = listTree(root);
    change(root);
    expect(diffTrees(before, listTree(root))).toContainEqual(expect.stringMatching(message));
  });

  it('sees none where there is none', () => {
    expect(diffTrees(listTree(root), listTree(root))).toEqual([]);
  });

  it('leaves out what is skipped', () => {
    expect([...listTree(root, new Set(['/folder', '/link'])).keys()]).toEqual(['/', '/a', '/b']);
  });

  it('reads names that are not text', () => {
    const name = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x0a, 0x5c, 0xe9])]);
    writeFileSync(name, '');
    execFileSync('find', [root, '-type', 'f', '-empty', '-exec', 'setfattr', '-n', 'user.x', '-v', '1', '{}', ';']);
    expect(listTree(root).get('/\n\\\xe9')?.xattrs).toEqual({ 'user.x': '0x31' });
  });
});

function rewrite(path: string, content: string): void {
  writeFileSync(path, content);
  utimesSync(path, 1, 1);
}

function relink(path: string, target: string): void {
  unlinkSync(path);
  symlinkSync(target, path);
}

function hardLink(path: string, other: string): void {
  unlinkSync(other);
  linkSync(path, other);
}
