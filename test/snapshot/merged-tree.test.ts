import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { walkMergedTree } from '../../src/snapshot/merged-tree.ts';
import { readMergedFile } from '../../src/snapshot/read-merged-file.ts';
import { requires } from '../support/requirements.ts';

let folder: string;
let opaque: Set<string>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mydocker-merged-'));
  opaque = new Set();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Makes a layer's tree: text is a file, null a folder, `-> x` a symlink, `whiteout` a 0:0 device, `opaque` a marked folder. */
function layer(entries: Record<string, string | null>): string {
  const tree = mkdtempSync(join(folder, 'layer-'));
  for (const [path, content] of Object.entries(entries)) {
    const target = join(tree, path);
    mkdirSync(dirname(target), { recursive: true });
    if (content === null) mkdirSync(target);
    else if (content === 'whiteout') execFileSync('mknod', [target, 'c', '0', '0']);
    else if (content === 'opaque') {
      mkdirSync(target);
      opaque.add(target);
    } else if (content.startsWith('-> ')) symlinkSync(content.slice(3), target);
    else writeFileSync(target, content);
  }
  return tree;
}

const marks = {
  isOpaque: (path: Buffer): boolean => opaque.has(path.toString()),
  isFileWhiteout: (path: Buffer): boolean => path.includes('marked'),
};

function merged(...trees: string[]): Record<string, string | null> {
  const view: Record<string, string | null> = {};
  for (const { path, source, stats } of walkMergedTree({ trees, marks })) {
    view[`/${path.join('/')}`] = stats.isFile() ? readFileSync(source, 'utf8') : null;
  }
  return view;
}

describe('walkMergedTree()', () => {
  it('shows one layer as it is, parents before children', () => {
    const view = merged(layer({ 'a/b/c': '1', 'a/d': '2' }));
    expect(view).toEqual({ '/': null, '/a': null, '/a/b': null, '/a/b/c': '1', '/a/d': '2' });
    const paths = Object.keys(view);
    expect(paths.indexOf('/a')).toBeLessThan(paths.indexOf('/a/b/c'));
  });

  it('lets the topmost layer win, and merges folders', () => {
    const view = merged(layer({ 'etc/a': 'old', 'etc/b': 'kept' }), layer({ 'etc/a': 'new', 'etc/c': 'added' }));
    expect(view).toMatchObject({ '/etc/a': 'new', '/etc/b': 'kept', '/etc/c': 'added' });
  });

  it('stops at a folder that is opaque', () => {
    const view = merged(layer({ 'd/old': '1' }), layer({ d: 'opaque', 'd/new': '2' }), layer({ 'd/newer': '3' }));
    expect(view).toEqual({ '/': null, '/d': null, '/d/new': '2', '/d/newer': '3' });
  });

  it('stops where something else than a folder is in the way', () => {
    const view = merged(layer({ 'd/old': '1' }), layer({ d: 'a file' }), layer({ 'd/new': '2' }));
    expect(view).toEqual({ '/': null, '/d': null, '/d/new': '2' });
  });

  it('shows a folder over a symlink as a folder of its own (L29)', () => {
    const view = merged(layer({ lib: '-> usr/lib', 'usr/lib/old': '1' }), layer({ 'lib/x': '2' }));
    expect(view).toMatchObject({ '/lib': null, '/lib/x': '2', '/usr/lib/old': '1' });
    expect(view).not.toHaveProperty('/usr/lib/x');
  });

  describe('with whiteouts', requires('root'), () => {
    it('hides what is below a 0:0 device, and the device itself', () => {
      const view = merged(
        layer({ gone: '1', 'd/gone': '2', 'd/kept': '3' }),
        layer({ gone: 'whiteout', 'd/gone': 'whiteout' }),
      );
      expect(view).toEqual({ '/': null, '/d': null, '/d/kept': '3' });
    });

    it('shows what comes back above a whiteout, without what was there', () => {
      const view = merged(layer({ 'd/old': '1' }), layer({ d: 'whiteout' }), layer({ 'd/new': '2' }));
      expect(view).toEqual({ '/': null, '/d': null, '/d/new': '2' });
    });
  });

  it('hides what is below an empty file that is marked, and the file itself', () => {
    const view = merged(layer({ marked: '1', 'd/marked': '2' }), layer({ marked: '', 'd/marked': 'not empty' }));
    expect(view).toEqual({ '/': null, '/d': null, '/d/marked': 'not empty' });
  });

  it('tells names apart that are not UTF-8', () => {
    const tree = layer({});
    for (const byte of [0xfe, 0xff])
      writeFileSync(Buffer.concat([Buffer.from(`${tree}/n`), Buffer.from([byte])]), String(byte));
    const found = [...walkMergedTree({ trees: [tree, tree], marks })].map(({ source }) => readOrNothing(source));
    expect(found.sort()).toEqual(['', '254', '255']);
  });
});

function readOrNothing(source: Buffer): string {
  return source.at(-1) === 0xfe || source.at(-1) === 0xff ? readFileSync(source, 'utf8') : '';
}

describe('readMergedFile()', () => {
  const read = (path: string, ...trees: string[]): string | undefined =>
    readMergedFile({ trees, marks }, path, 100)?.toString();

  it('reads the topmost file', () => {
    expect(read('/etc/passwd', layer({ 'etc/passwd': 'old' }), layer({ 'etc/passwd': 'new' }))).toBe('new');
  });

  it.each([
    ['relative', { 'etc/passwd': '-> ../usr/p', 'usr/p': 'x' }],
    ['absolute: of the image, not of the host', { 'etc/passwd': '-> /usr/p', 'usr/p': 'x' }],
    ['above the root', { 'etc/passwd': '-> ../../../../../usr/p', 'usr/p': 'x' }],
    ['a folder on the way', { etc: '-> usr/etc', 'usr/etc/passwd': 'x' }],
    ['several', { etc: '-> /a', a: '-> b/../c', b: null, 'c/passwd': 'x' }],
  ])('follows symlinks inside the image: %s (C06)', (_, entries) => {
    expect(read('/etc/passwd', layer(entries))).toBe('x');
  });

  it.each([
    ['a symlink to a file of the host', { 'etc/passwd': '-> /etc/hostname' }],
    ['a loop', { 'etc/passwd': '-> passwd' }],
    ['a folder', { 'etc/passwd': null }],
    ['a file where a folder is needed', { etc: 'x' }],
    ['more than the limit', { 'etc/passwd': 'x'.repeat(101) }],
    ['nothing', {}],
  ])('reads nothing for %s (C06, B16)', (_, entries: Record<string, string | null>) => {
    expect(read('/etc/passwd', layer(entries))).toBeUndefined();
  });

  it('does not wait for a FIFO (C06)', () => {
    const tree = layer({ etc: null });
    execFileSync('mkfifo', [join(tree, 'etc/passwd')]);
    expect(read('/etc/passwd', tree)).toBeUndefined();
  });

  it('reads nothing that is hidden by an opaque folder', () => {
    expect(read('/etc/passwd', layer({ 'etc/passwd': 'old' }), layer({ etc: 'opaque' }))).toBeUndefined();
  });
});
