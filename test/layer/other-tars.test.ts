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
const WRITERS: [string, Writer, Requirement?][] = [
  ['GNU tar, gnu', gnuTar('--format=gnu')],
  ['GNU tar, gnu with sparse files', gnuTar('--format=gnu', '--sparse')],
  ['GNU tar, oldgnu with sparse files', gnuTar('--format=oldgnu', '--sparse')],
  ['GNU tar, posix with attributes', gnuTar('--format=posix', '--xattrs', '--xattrs-include=*')],
  ['GNU tar, posix with sparse files 0.0', gnuTar('--format=posix', '--sparse', '--sparse-version=0.0')],
  ['GNU tar, posix with sparse files 0.1', gnuTar('--format=posix', '--sparse', '--sparse-version=0.1')],
  ['GNU tar, posix with sparse files 1.0', gnuTar('--format=posix', '--sparse', '--sparse-version=1.0')],
  ['Python, PAX', python('PAX_FORMAT'), 'python3'],
  ['Python, GNU', python('GNU_FORMAT'), 'python3'],
  ['bsdtar, pax', bsdtar('--format=pax'), 'bsdtar'],
  ['bsdtar, gnutar', bsdtar('--format=gnutar'), 'bsdtar'],
];

describe('unpackLayer() of what other programs write', () => {
  for (const [name, write, program = 'setfattr'] of WRITERS) {
    it(`${name}: is what GNU tar unpacks`, requires('root', 'setfattr', program), async () => {
      const workspace = openWorkspace();
      const [source, expected, tar] = ['source', 'expected', 'tar'].map((part) =>
        join(workspace.folder, `layer-${part}`),
      ) as [string, string, string];
      plant(source);
      write(source, tar);
      mkdirSync(expected);
      execFileSync('tar', ['-C', expected, '--numeric-owner', '-p', '--xattrs', '--xattrs-include=*', '-xf', tar]);

      const { tree } = await workspace.unpack(readFileSync(tar));
      expect(tree).toEqual(withFolderTimes(readTree(expected), readTree(source)));
      expect(Object.keys(tree).length).toBeGreaterThan(15);
    });
  }

  it.each(['ustar', 'v7'])('GNU tar, %s: is what GNU tar unpacks', requires('root'), async (format) => {
    const workspace = openWorkspace();
    const [source, expected, tar] = ['source', 'expected', 'tar'].map((part) =>
      join(workspace.folder, `layer-${part}`),
    ) as [string, string, string];
    mkdirSync(join(source, 'd/e'), { recursive: true });
    writeFileSync(join(source, 'd/e/f'), 'x', { mode: 0o640 });
    linkSync(join(source, 'd/e/f'), join(source, 'hard'));
    symlinkSync('d/e', join(source, 'soft'));
    if (format === 'ustar') writeFileSync(join(source, 'd', 'n'.repeat(95)), 'in the prefix');
    gnuTar(`--format=${format}`)(source, tar);
    mkdirSync(expected);
    execFileSync('tar', ['-C', expected, '-p', '-xf', tar]);
    expect((await workspace.unpack(readFileSync(tar))).tree).toEqual(readTree(expected));
  });
});

/** The tree `unpacked` with the folders' times of `source`: GNU tar does not restore all of them. */
function withFolderTimes(unpacked: Record<string, string>, source: Record<string, string>): Record<string, string> {
  const timeOf = (path: string): string => source[path]!.split(' ')[3]!;
  const lines = Object.entries(unpacked).map(([path, line]) => {
    const [type, mode, owner, , ...rest] = line.split(' ');
    return [path, type === 'D' ? [type, mode, owner, timeOf(path), ...rest].join(' ') : line];
  });
  return Object.fromEntries(lines) as Record<string, string>;
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
