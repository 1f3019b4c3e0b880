import fs from 'node:fs';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { isTemporaryName, writeFileAtomic } from '../../src/fs/write-file-atomic.ts';
import { buildChildProgram } from './child-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const program = await buildChildProgram(`
  import { writeFileAtomic } from './src/fs/write-file-atomic.ts';
  const [path, text] = process.argv.slice(2);
  await writeFileAtomic(path, Buffer.from(text), 0o640).catch((error) => console.log(error.code, error.message));
`);
afterAll(async () => program.remove());

describe('writeFileAtomic()', () => {
  it('writes a new file and replaces an old one, with the mode that it is told', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'file');
    for (const [text, mode] of [
      ['old', 0o600],
      ['new', 0o666],
      ['', 0o444],
    ] as const) {
      await writeFileAtomic(path, Buffer.from(text), mode);
      expect(fs.readFileSync(path, 'utf8')).toBe(text);
      expect(fs.statSync(path).mode & 0o7777).toBe(mode);
    }
    expect(fs.readdirSync(folder)).toEqual(['file']);
  });

  it('replaces a symlink instead of writing through it', async () => {
    const folder = await temporaryFolder();
    fs.writeFileSync(join(folder, 'target'), 'kept');
    fs.symlinkSync('target', join(folder, 'link'));
    await writeFileAtomic(join(folder, 'link'), Buffer.from('new'), 0o600);
    expect(fs.readFileSync(join(folder, 'target'), 'utf8')).toBe('kept');
    expect(fs.lstatSync(join(folder, 'link')).isFile()).toBe(true);
  });

  it('I5 readers see the old content or the new, never a part', async () => {
    const path = join(await temporaryFolder(), 'file');
    const contents = ['a', 'b'].map((letter) => letter.repeat(100_000));
    await writeFileAtomic(path, Buffer.from(contents[0]!), 0o600);
    let writing = true;
    const writer = (async () => {
      for (let round = 0; round < 20; round++) await writeFileAtomic(path, Buffer.from(contents[round % 2]!), 0o600);
      writing = false;
    })();
    const isWriting = (): boolean => writing;
    while (isWriting()) expect(contents).toContain(await fs.promises.readFile(path, 'utf8'));
    await writer;
  });

  it('writes in order: content, mode, fsync, rename, fsync of the folder', async () => {
    const folder = await temporaryFolder();
    const { stderr } = await program.run({ args: [join(folder, 'file'), 'text'], logCalls: true });
    const calls = stderr.trim().replace(/\.[0-9a-f]{16}\.tmp/g, '.*.tmp');
    expect(calls.split('\n')).toEqual([
      `open ${folder}/.file.*.tmp`,
      `write ${folder}/.file.*.tmp`,
      `fchmod ${folder}/.file.*.tmp`,
      `fsync ${folder}/.file.*.tmp`,
      `rename ${folder}/.file.*.tmp`,
      `fsync ${folder}`,
    ]);
  });

  it.each(['open:1', 'write:1', 'fchmod:1', 'fsync:1', 'rename:1'])(
    'F4, S06 keeps the old file and leaves nothing else when %s fails',
    async (call) => {
      const folder = await temporaryFolder();
      const path = join(folder, 'file');
      fs.writeFileSync(path, 'old');
      const { stdout } = await program.run({ args: [path, 'new'], fault: `${call}:ENOSPC` });
      expect(stdout).toBe(`ERR_NO_SPACE Cannot write "${path}": no space is left on the file system\n`);
      expect(fs.readFileSync(path, 'utf8')).toBe('old');
      expect(fs.readdirSync(folder)).toEqual(['file']);
    },
  );

  it('says so when it is not sure that the new file stays', async () => {
    const path = join(await temporaryFolder(), 'file');
    const { stdout } = await program.run({ args: [path, 'new'], fault: 'fsync:2:EIO' });
    expect(stdout).toMatch(/^ERR_STORE Cannot write ".*": input\/output error\n$/);
  });

  it('F1 killed at any call leaves the old file or the new one, and what else is left can be told by its name', async () => {
    for (let call = 1; ; call++) {
      const folder = await temporaryFolder();
      const path = join(folder, 'file');
      fs.writeFileSync(path, 'old');
      const { signal } = await program.run({ args: [path, 'new'], fault: `*:${call}:kill` });
      expect(['old', 'new']).toContain(fs.readFileSync(path, 'utf8'));
      expect(fs.readdirSync(folder).filter((name) => name !== 'file' && !isTemporaryName(name))).toEqual([]);
      if (signal === null) break;
    }
  });
});

describe('isTemporaryName()', () => {
  it('takes no other file for a temporary one', () => {
    const names = ['file', '.file.tmp', '.0123456789abcdef.tmp', 'a.0123456789abcdef.tmp', '.a.0123456789abcdeF.tmp'];
    expect(names.filter(isTemporaryName)).toEqual([]);
    expect(isTemporaryName('.index.json.0123456789abcdef.tmp')).toBe(true);
  });
});
