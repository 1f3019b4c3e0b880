import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { requires, type Requirement } from '../support/requirements.ts';
import { readTree } from './support/read-tree.ts';
import { openWorkspace } from './support/workspace.ts';

const MIB = 1024 * 1024;

/** How to write an archive of the folder `from` to the file `to`. */
type Writer = (from: string, to: string) => void;

const gnuTar =
  (...args: string[]): Writer =>
  (from, to) =>
    void execFileSync('tar', ['-C', from, '--numeric-owner', ...args, '-cf', to, '.']);
const bsdtar =
  (...args: string[]): Writer =>
  (from, to) =>
    void execFileSync('bsdtar', ['-C', from, '--numeric-owner', ...args, '-cf', to, '.']);
const python =
  (format: string): Writer =>
  (from, to) => {
    const script =
      'import sys, tarfile; t = tarfile.open(sys.argv[2], "w", format=getattr(tarfile, sys.argv[3])); t.add(sys.argv[1], ""); t.close()';
    execFileSync('python3', ['-c', script, from, to, format]);
  };

/** A name, the writer, and the program that it takes unless that is tar. */
type NamedWriter = [string, Writer, Requirement?];

/** Of formats that hold about everything. */
const RICH: NamedWriter[] = [
  ['GNU tar, gnu', gnuTar('--format=gnu')],
  ['GNU tar, gnu with sparse files', gnuTar('--format=gnu', '--sparse')],
  ['GNU tar, oldgnu', gnuTar('--format=oldgnu')],
  ['GNU tar, oldgnu with sparse files', gnuTar('--format=oldgnu', '--sparse')],
  ['GNU tar, posix with attributes', gnuTar('--format=posix', '--xattrs', '--xattrs-include=*')],
  ['GNU tar, posix with sparse files 0.0', gnuTar('--format=posix', '--sparse', '--sparse-version=0.0')],
  ['GNU tar, posix with sparse files 0.1', gnuTar('--format=posix', '--sparse', '--sparse-version=0.1')],
  ['GNU tar, posix with sparse files 1.0', gnuTar('--format=posix', '--sparse', '--sparse-version=1.0')],
  ['Python, PAX', python('PAX_FORMAT'), 'python3'],
  ['Python, GNU', python('GNU_FORMAT'), 'python3'],
  ['bsdtar, pax', bsdtar('--format=pax'), 'bsdtar'],
  ['bsdtar, restricted pax', bsdtar('--format=paxr'), 'bsdtar'],
  ['bsdtar, gnutar', bsdtar('--format=gnutar'), 'bsdtar'],
];

/** Of formats with 100 to 255 bytes for a name and 21 bits for an owner. */
const USTAR: NamedWriter[] = [
  ['GNU tar', gnuTar('--format=ustar')],
  ['Python', python('USTAR_FORMAT'), 'python3'],
  ['bsdtar', bsdtar('--format=ustar'), 'bsdtar'],
];

/** Of formats with files, folders and links, and nothing else. */
const V7: NamedWriter[] = [
  ['GNU tar', gnuTar('--format=v7')],
  ['bsdtar', bsdtar('--format=v7'), 'bsdtar'],
];

describe('unpackLayer() of what other programs write', () => {
  for (const [name, write, program = 'setfattr'] of RICH) {
    it(`${name}: is what GNU tar unpacks`, requires('root', 'setfattr', program), async () => {
      const { tree, expected } = await unpackBoth(write, plant);
      expect(tree).toEqual(expected);
      expect(Object.keys(tree).length).toBeGreaterThan(15);
    });
  }

  for (const [name, write, program] of USTAR) {
    it(
      `${name}, ustar: is what GNU tar unpacks`,
      requires('root', ...(program === undefined ? [] : [program])),
      async () => {
        const { tree, expected } = await unpackBoth(write, plantForUstar);
        expect(tree).toEqual(expected);
        expect(tree['fifo']).toMatch(/^P 0644 5:6 /);
      },
    );
  }

  for (const [name, write, program] of V7) {
    it(
      `${name}, v7: is what GNU tar unpacks`,
      requires('root', ...(program === undefined ? [] : [program])),
      async () => {
        const { tree, expected } = await unpackBoth(write, plantForV7);
        expect(tree).toEqual(expected);
        expect(tree['hard']).toContain('#1');
      },
    );
  }
});

/** What we and GNU tar make of the archive that `write` makes of what `fill` puts into a folder. */
async function unpackBoth(
  write: Writer,
  fill: (root: string) => void,
): Promise<{ tree: Record<string, string>; expected: Record<string, string> }> {
  const workspace = openWorkspace();
  const [source, other, tar] = ['source', 'other', 'tar'].map((part) => join(workspace.folder, `layer-${part}`)) as [
    string,
    string,
    string,
  ];
  mkdirSync(source);
  fill(source);
  write(source, tar);
  mkdirSync(other);
  execFileSync('tar', ['-C', other, '--numeric-owner', '-p', '--xattrs', '--xattrs-include=*', '-xf', tar]);
  const { tree } = await workspace.unpack(readFileSync(tar));
  return { tree, expected: withFolderTimes(readTree(other), readTree(source)) };
}

/** The tree `unpacked` without devices, and with the folders' times of `source`: GNU tar does not restore all of them. */
function withFolderTimes(unpacked: Record<string, string>, source: Record<string, string>): Record<string, string> {
  const timeOf = (path: string): string => source[path]!.split(' ')[3]!;
  const lines = Object.entries(unpacked).map(([path, line]) => {
    const [type, mode, owner, , ...rest] = line.split(' ');
    return [path, type === 'D' ? [type, mode, owner, timeOf(path), ...rest].join(' ') : line];
  });
  return Object.fromEntries(lines.filter(([, line]) => !/^[BC] /.test(line ?? ''))) as Record<string, string>;
}

function plantForV7(root: string): void {
  mkdirSync(join(root, 'd/e'), { recursive: true });
  writeFileSync(join(root, 'd/e/f'), 'x', { mode: 0o640 });
  writeFileSync(join(root, 'd/block'), Buffer.alloc(512, 'b'));
  writeFileSync(join(root, 'empty'), '');
  linkSync(join(root, 'd/e/f'), join(root, 'hard'));
  symlinkSync('d/e', join(root, 'soft'));
  chownSync(join(root, 'd/block'), 1234, 2345);
  chmodSync(join(root, 'd/e'), 0o1777);
  utimesSync(join(root, 'd/e'), 1, 1_234_567_890);
}

function plantForUstar(root: string): void {
  plantForV7(root);
  writeFileSync(join(root, 'd', 'n'.repeat(95)), 'in the prefix');
  mkdirSync(join(root, 'p'.repeat(90)));
  writeFileSync(join(root, 'p'.repeat(90), 'q'.repeat(90)), 'in both');
  execFileSync('mkfifo', [join(root, 'fifo')]);
  execFileSync('mknod', [join(root, 'null'), 'c', '1', '3']);
  chownSync(join(root, 'fifo'), 5, 6);
}

/** About everything that archives can hold. */
function plant(root: string): void {
  const at = (...names: string[]): string => join(root, ...names);
  mkdirSync(at('d/e/f'), { recursive: true });
  writeFileSync(at('empty'), '');
  writeFileSync(at('d/file'), 'content');
  writeFileSync(at('d/large'), Buffer.alloc(3 * MIB, 'l'));
  writeFileSync(at('d/block'), Buffer.alloc(512, 'b'));
  writeFileSync(at('setid'), 'x');
  chownSync(at('setid'), 1234, 2345);
  chmodSync(at('setid'), 0o6755);
  writeFileSync(at('far'), 'x');
  chownSync(at('far'), 3_000_000, 4_000_000);
  linkSync(at('d/file'), at('d/e/hard'));
  symlinkSync('../file', at('d/e/soft'));
  symlinkSync(`/${'t'.repeat(150)}`, at('long-target'));
  mkdirSync(at('p'.repeat(120), 'q'.repeat(120)), { recursive: true });
  writeFileSync(at('p'.repeat(120), 'q'.repeat(120), 'r'.repeat(120)), 'far down');
  writeFileSync(at('grün'), 'x');
  writeFileSync(Buffer.from(at('latin-\xfc'), 'latin1'), 'x');
  execFileSync('mkfifo', [at('fifo')]);
  execFileSync('mknod', [at('null'), 'c', '1', '3']);
  execFileSync('setfattr', ['-n', 'user.a', '-v', 'value', at('d/file')]);
  plantSparse(at('holes'));
  chmodSync(at('d/e/f'), 0o1777);
  utimesSync(at('d/e'), 1, 1_234_567_890);
}

/** Content at the start, in several places, and a hole at the end. */
function plantSparse(path: string): void {
  const fd = openSync(path, 'w');
  for (let index = 0; index < 40; index += 1) writeSync(fd, Buffer.alloc(4096, index + 1), 0, 4096, index * MIB);
  closeSync(fd);
  truncateSync(path, 50 * MIB);
}
