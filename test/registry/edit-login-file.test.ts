import fs from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { editLoginFile } from '../../src/registry/edit-login-file.ts';
import { buildChildProgram } from '../fs/child-program.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { requires } from '../support/requirements.ts';
import { rounds } from '../support/soak.ts';

const { signal } = new AbortController();

const program = await buildChildProgram(`
  import { editLoginFile } from './src/registry/edit-login-file.ts';
  const [path, ...keys] = process.argv.slice(2);
  const { signal } = new AbortController();
  for (const key of keys) await editLoginFile(path, (auths) => !!auths.set(key, { auth: 'x' }), signal);
`);
afterAll(async () => program.remove());

/** Sets the entry of `a.example`. */
async function add(path: string): Promise<void> {
  await editLoginFile(path, (auths) => auths.set('a.example', { auth: 'QQ==' }).size > 0, signal);
}

const NEW = '{\n\t"auths": {\n\t\t"a.example": {\n\t\t\t"auth": "QQ=="\n\t\t}\n\t}\n}';

describe('editLoginFile()', () => {
  test('A19 makes file and folder for their owner alone, whatever the umask', async () => {
    const path = join(await temporaryFolder(), 'new/.docker/config.json');
    const umask = process.umask(0);
    await add(path).finally(() => process.umask(umask));
    expect(fs.readFileSync(path, 'utf8')).toBe(NEW);
    expect(fs.statSync(path).mode & 0o7777).toBe(0o600);
    expect(fs.statSync(join(path, '..')).mode & 0o777).toBe(0o700);
    expect(fs.readdirSync(join(path, '..'))).toEqual(['config.json']);
  });

  test('A19 takes away the rights of others, and never writes into the old file', async () => {
    const path = join(await temporaryFolder(), 'config.json');
    fs.writeFileSync(path, '{}', { mode: 0o666 });
    fs.chmodSync(path, 0o666);
    const old = fs.openSync(path, 'r'); // somebody who could read it
    await add(path);
    expect(fs.readFileSync(old, 'utf8')).toBe('{}');
    fs.closeSync(old);
    expect(fs.statSync(path).mode & 0o7777).toBe(0o600);
  });

  test('keeps everything else in the file', async () => {
    const path = join(await temporaryFolder(), 'config.json');
    const before = {
      HttpHeaders: { 'X-Meta': 'a<b>&' },
      auths: { 'b.example': { auth: 'Qg==', email: 'x@y' }, odd: 5 },
      credHelpers: { 'c.example': 'c' },
      plugins: { x: { y: 'z' } },
      unknown: [1, null, { deep: [] }],
    };
    fs.writeFileSync(path, `${JSON.stringify(before)}\n`);
    await add(path);
    const after = { ...before, auths: { ...before.auths, 'a.example': { auth: 'QQ==' } } };
    expect(fs.readFileSync(path, 'utf8')).toBe(`${JSON.stringify(after, null, '\t')}\n`);
  });

  test('leaves the file alone where nothing changes', async () => {
    const path = join(await temporaryFolder(), 'config.json');
    fs.writeFileSync(path, '{ "auths" : {} }', { mode: 0o644 });
    await editLoginFile(path, () => false, signal);
    expect(fs.readFileSync(path, 'utf8')).toBe('{ "auths" : {} }');
    expect(fs.readdirSync(join(path, '..'))).toEqual(['config.json']);
  });

  test('writes to where a symlink leads, also where that is not there yet', async () => {
    const folder = await temporaryFolder();
    fs.mkdirSync(join(folder, 'real/deep'), { recursive: true });
    fs.mkdirSync(join(folder, 'home'));
    fs.symlinkSync('../real', join(folder, 'home/.docker'));
    fs.symlinkSync('deep/link', join(folder, 'real/config.json'));
    fs.symlinkSync('target.json', join(folder, 'real/deep/link'));
    for (const round of ['dangling', 'there']) {
      await add(join(folder, 'home/.docker/config.json'));
      expect([round, fs.readFileSync(join(folder, 'real/deep/target.json'), 'utf8')]).toEqual([round, NEW]);
    }
    expect(fs.lstatSync(join(folder, 'real/config.json')).isSymbolicLink()).toBe(true);
    expect(fs.lstatSync(join(folder, 'real/deep/link')).isSymbolicLink()).toBe(true);
    expect(fs.readdirSync(join(folder, 'real/deep')).sort()).toEqual(['link', 'target.json']);
  });

  test('gives up on symlinks that lead in a circle', async () => {
    const folder = await temporaryFolder();
    fs.symlinkSync('b', join(folder, 'a'));
    fs.symlinkSync('a', join(folder, 'b'));
    await expect(add(join(folder, 'a'))).rejects.toMatchObject({ code: 'ERR_STORE' });
  });

  test.each(['[]', '"x"', '{"auths":[]}', '{"auths":"secret"}', '{"auths":secret'])(
    'refuses %s, and changes nothing',
    async (text) => {
      const path = join(await temporaryFolder(), 'config.json');
      fs.writeFileSync(path, text);
      const error: unknown = await add(path).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'ERR_AUTH' });
      expect(inspect(error)).not.toContain('secret');
      expect(fs.readFileSync(path, 'utf8')).toBe(text);
      expect(fs.readdirSync(join(path, '..'))).toEqual(['config.json']);
    },
  );

  test("keeps somebody's file theirs when root edits it", requires('root'), async () => {
    const path = join(await temporaryFolder(), 'config.json');
    fs.writeFileSync(path, '');
    fs.chownSync(path, 65534, 65534);
    await add(path);
    const { uid, gid, mode } = fs.statSync(path);
    expect([uid, gid, mode & 0o777]).toEqual([65534, 65534, 0o600]);
  });

  test('says what the file system answers, and leaves nothing behind', requires('root'), async () => {
    const folder = await temporaryFolder();
    fs.chmodSync(folder, 0o755);
    const { stderr } = await program.run({ args: [join(folder, 'config.json'), 'a'], uid: 65534 });
    expect(stderr).toContain(`Cannot change the logins in "${join(folder, 'config.json')}": `);
    expect(stderr).toContain('permission denied');
    expect(stderr).not.toContain('MYDOCKER_HOME');
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('loses nothing when several edit at once', async () => {
    const path = join(await temporaryFolder(), 'config.json');
    const count = rounds(10, 100);
    const writers = ['a', 'b', 'c', 'd'].map((name) => Array.from({ length: count }, (_, index) => `${name}${index}`));
    const ends = await Promise.all(writers.map(async (keys) => program.run({ args: [path, ...keys] })));
    expect(ends.map(({ code, stderr }) => [code, stderr])).toEqual(writers.map(() => [0, '']));
    const { auths } = JSON.parse(fs.readFileSync(path, 'utf8')) as { auths: object };
    expect(Object.keys(auths).sort()).toEqual(writers.flat().sort());
    expect(fs.readdirSync(join(path, '..'))).toEqual(['config.json']);
  });

  test.each(['write', 'fsync', 'rename'])('keeps the old file where %s fails', async (call) => {
    const path = join(await temporaryFolder(), 'config.json');
    fs.writeFileSync(path, '{"auths":{"old":{}}}');
    const { code, stderr } = await program.run({ args: [path, 'new'], fault: `${call}:1:ENOSPC` });
    expect([code, stderr.includes('ERR_NO_SPACE')]).toEqual([1, true]);
    expect(fs.readFileSync(path, 'utf8')).toBe('{"auths":{"old":{}}}');
    expect(fs.readdirSync(join(path, '..'))).toEqual(['config.json']);
  });
});
