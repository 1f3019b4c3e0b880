import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';

import { removeTree } from '../../src/fs/remove-tree.ts';
import { requires } from '../support/requirements.ts';
import { buildChildProgram, withMounts } from './child-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const NOBODY = 65534;

const program = await buildChildProgram(`
  import fs from 'node:fs';
  import { removeTree } from './src/fs/remove-tree.ts';
  const [mode, folder] = process.argv.slice(2);
  if (mode === 'deep') {
    process.chdir(folder);
    fs.mkdirSync('tree');
    process.chdir('tree');
    for (let depth = 0; depth < 3000; depth++) {
      fs.mkdirSync('n'.repeat(200));
      process.chdir('n'.repeat(200));
      if (depth % 100 === 0) fs.writeFileSync('file', '');
    }
  } else if (mode === 'closed') {
    fs.mkdirSync(folder + '/tree/a/b/c', { recursive: true });
    fs.writeFileSync(folder + '/tree/a/b/file', '');
    fs.chmodSync(folder + '/tree/a/b/c', 0);
    fs.chmodSync(folder + '/tree/a/b', 0);
    fs.chmodSync(folder + '/tree/a', 0o500);
    fs.chmodSync(folder + '/tree', 0o000);
    await removeTree(folder + '/tree');
  } else if (mode === 'deep-closed') {
    const names = Array.from({ length: 200 }, (_, i) => 'd' + i);
    fs.mkdirSync(folder + '/tree/' + names.join('/'), { recursive: true });
    for (let i = names.length; i >= 0; i--) fs.chmodSync(folder + '/tree/' + names.slice(0, i).join('/'), 0);
    await removeTree(folder + '/tree');
  } else {
    await removeTree(folder + '/tree').catch((error) => console.log(error.code, error.message));
  }
`);
afterAll(async () => program.remove());

describe('removeTree()', () => {
  it('removes a folder with files, folders, links, FIFOs and sockets in it', async () => {
    const folder = await temporaryFolder();
    const tree = join(folder, 'tree');
    fs.mkdirSync(join(tree, 'a/b'), { recursive: true });
    fs.writeFileSync(join(tree, 'a/file'), 'x');
    fs.linkSync(join(tree, 'a/file'), join(tree, 'hard'));
    fs.symlinkSync('nowhere', join(tree, 'a/b/dangling'));
    execFileSync('mkfifo', [join(tree, 'a/fifo')]);
    await removeTree(tree);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it.each([1, 200])('removes a folder that is listed in one piece or more: %i times 20 entries', async (times) => {
    const folder = await temporaryFolder();
    const tree = join(folder, 'tree');
    fs.mkdirSync(tree);
    for (let index = 0; index < times * 20; index += 1) {
      const path = Buffer.from(join(tree, `${'n'.repeat(100)}${index}\xff`), 'latin1');
      if (index % 20 === 0) fs.mkdirSync(path);
      else fs.writeFileSync(path, '');
    }
    await removeTree(tree);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('takes nothing there for done', async () => {
    const folder = await temporaryFolder();
    await expect(removeTree(join(folder, 'none'))).resolves.toBeUndefined();
  });

  it('removes a single file, and a symlink instead of what it points to', async () => {
    const folder = await temporaryFolder();
    fs.mkdirSync(join(folder, 'kept'));
    fs.writeFileSync(join(folder, 'kept/file'), '');
    fs.symlinkSync('kept', join(folder, 'link'));
    fs.writeFileSync(join(folder, 'file'), '');
    await removeTree(join(folder, 'link'));
    await removeTree(join(folder, 'file'));
    expect(fs.readdirSync(folder)).toEqual(['kept']);
    expect(fs.readdirSync(join(folder, 'kept'))).toEqual(['file']);
  });

  it('B2 never follows a symlink inside the tree', async () => {
    const folder = await temporaryFolder();
    fs.mkdirSync(join(folder, 'kept/sub'), { recursive: true });
    fs.writeFileSync(join(folder, 'kept/file'), '');
    fs.mkdirSync(join(folder, 'tree/sub'), { recursive: true });
    fs.symlinkSync(join(folder, 'kept'), join(folder, 'tree/absolute'));
    fs.symlinkSync('../../kept', join(folder, 'tree/sub/relative'));
    await removeTree(join(folder, 'tree'));
    expect(fs.readdirSync(join(folder, 'kept')).sort()).toEqual(['file', 'sub']);
  });

  it('removes names that are not UTF-8', async () => {
    const folder = await temporaryFolder();
    fs.mkdirSync(join(folder, 'tree'));
    const raw = Buffer.concat([Buffer.from(join(folder, 'tree/')), Buffer.from([0xff, 0xfe, 0x0a, 0x80])]);
    fs.mkdirSync(raw);
    fs.writeFileSync(Buffer.concat([raw, Buffer.from('/'), Buffer.from([0xc3, 0x28])]), '');
    await removeTree(join(folder, 'tree'));
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('removes paths of 600,000 bytes, 3,000 folders deep, with 200 descriptors', async () => {
    const folder = await temporaryFolder();
    expect(await program.run({ args: ['deep', folder] })).toMatchObject({ code: 0, stderr: '' });
    const wrapper = ['sh', '-c', 'ulimit -n 200 && exec "$@"', 'sh'];
    expect(await program.run({ args: ['remove', folder], wrapper })).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('keeps no descriptor open (S30)', async () => {
    const folder = await temporaryFolder();
    const before = openDescriptors();
    fs.mkdirSync(join(folder, `tree${'/n'.repeat(100)}`), { recursive: true });
    await removeTree(join(folder, 'tree'));
    expect(openDescriptors()).toBe(before);
  });

  describe.each(['closed', 'deep-closed'])('(%s)', (mode) => {
    it('as an ordinary user removes folders of mode 0000 and 0500', requires('root'), async () => {
      const folder = await temporaryFolder();
      fs.chownSync(folder, NOBODY, NOBODY);
      expect(await program.run({ args: [mode, folder], uid: NOBODY })).toMatchObject({ code: 0, stderr: '' });
      expect(fs.readdirSync(folder)).toEqual([]);
    });
  });

  it('as an ordinary user says what it may not remove, and leaves that alone', requires('root'), async () => {
    const folder = await temporaryFolder();
    fs.mkdirSync(join(folder, 'tree/foreign'), { recursive: true });
    fs.writeFileSync(join(folder, 'tree/foreign/file'), '');
    fs.chownSync(folder, NOBODY, NOBODY);
    fs.chownSync(join(folder, 'tree'), NOBODY, NOBODY);
    const { stdout } = await program.run({ args: ['remove', folder], uid: NOBODY });
    expect(stdout).toContain(`ERR_STORE Cannot remove "${join(folder, 'tree')}"`);
    expect(fs.existsSync(join(folder, 'tree/foreign/file'))).toBe(true);
  });

  it('refuses to touch a tree in which something is mounted', requires('root'), async () => {
    const folder = await temporaryFolder();
    fs.mkdirSync(join(folder, 'tree/with space'), { recursive: true });
    fs.mkdirSync(join(folder, 'kept'));
    fs.writeFileSync(join(folder, 'kept/file'), '');
    const { stdout } = await program.run({
      args: ['remove', folder],
      wrapper: withMounts('mount --bind "$0/kept" "$0/tree/with space"', folder),
    });
    expect(stdout).toContain(`ERR_CONFLICT Cannot remove "${folder}/tree": "${folder}/tree/with space" is mounted`);
    expect(fs.readdirSync(join(folder, 'kept'))).toEqual(['file']);
  });

  it('two at once on the same tree both succeed', async () => {
    const folder = await temporaryFolder();
    for (let index = 0; index < 2000; index++) {
      fs.mkdirSync(join(folder, `tree/${index % 50}/${index}`), { recursive: true });
      fs.writeFileSync(join(folder, `tree/${index % 50}/${index}/file`), '');
    }
    await Promise.all([
      removeTree(join(folder, 'tree')),
      removeTree(join(folder, 'tree')),
      program.run({ args: ['remove', folder] }).then(({ stdout }) => expect(stdout).toBe('')),
    ]);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('S29 lets timers run while it works on 100,000 files', async () => {
    const folder = await temporaryFolder();
    fs.mkdirSync(join(folder, 'tree'));
    for (let index = 0; index < 100_000; index++) {
      const first = join(folder, `tree/${index - (index % 50_000)}`); // ext4 takes 65,000 links to a file
      if (index % 50_000 === 0) fs.writeFileSync(first, '');
      else fs.linkSync(first, join(folder, `tree/${index}`));
    }
    let beats = 0;
    const heart = setInterval(() => (beats += 1), 1);
    await removeTree(join(folder, 'tree'));
    clearInterval(heart);
    expect(beats).toBeGreaterThan(5);
    expect(fs.readdirSync(folder)).toEqual([]);
  }, 60_000);

  it('removes any tree, and nothing else', async () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter(isFileName);
    const { tree } = fc.letrec<{ tree: object; node: object | string | null }>((tie) => ({
      tree: fc.dictionary(name, tie('node'), { maxKeys: 4, noNullPrototype: true }),
      node: fc.oneof(
        { depthSize: 'small' },
        fc.constant(null),
        fc.constantFrom('..', '/', '../../beside', '.'),
        tie('tree'),
      ),
    }));
    const folder = await temporaryFolder();
    fs.mkdirSync(join(folder, 'beside'));
    fs.writeFileSync(join(folder, 'beside/file'), '');
    await fc.assert(
      fc.asyncProperty(tree, async (model) => {
        make(join(folder, 'tree'), model);
        await removeTree(join(folder, 'tree'));
        expect(fs.readdirSync(folder)).toEqual(['beside']);
        expect(fs.readdirSync(join(folder, 'beside'))).toEqual(['file']);
      }),
      { numRuns: 100 },
    );
  });
});

function isFileName(name: string): boolean {
  return (
    name !== '.' &&
    name !== '..' &&
    !/[/\0]/.test(name) &&
    Buffer.byteLength(name) < 200 &&
    Buffer.from(name).toString() === name
  );
}

/** null: a file; text: a symlink to it; an object: a folder. */
function make(path: string, node: object | string | null): void {
  if (node === null) fs.writeFileSync(path, '');
  else if (typeof node === 'string') fs.symlinkSync(node, path);
  else {
    fs.mkdirSync(path);
    for (const [name, child] of Object.entries(node)) make(join(path, name), child as object | string | null);
  }
}

function openDescriptors(): number {
  return fs.readdirSync('/proc/self/fd').length;
}
