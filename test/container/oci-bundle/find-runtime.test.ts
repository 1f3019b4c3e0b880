import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { describe, expect, it } from 'vitest';

import { findRuntime } from '../../../src/container/oci-bundle/find-runtime.ts';
import { temporaryFolder } from '../../fs/temporary-folder.ts';

async function layPrograms(): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of ['first', 'second']) mkdirSync(join(folder, name));
  mkdirSync(join(folder, 'first/crun'));
  writeFileSync(join(folder, 'first/runc'), '', { mode: 0o644 });
  writeFileSync(join(folder, 'second/crun'), '', { mode: 0o755 });
  symlinkSync('crun', join(folder, 'second/runc'));
  symlinkSync('nowhere', join(folder, 'second/dangling'));
  return folder;
}

describe('findRuntime()', () => {
  it.each([undefined, '', 'mydocker'])('is our own for %s', (name) => {
    expect(findRuntime(name, '/nowhere')).toBeUndefined();
  });

  it('looks names up in the folders, for the first that can be executed', async () => {
    const folder = await layPrograms();
    const path = ['', '.', 'relative', `${folder}/missing`, `${folder}/first`, `${folder}/second`].join(':');
    for (const name of ['runc', 'crun']) {
      expect(findRuntime(name, path)).toEqual({ name, path: `${folder}/second/${name}` });
    }
    expect(() => findRuntime('runc', `${folder}/first`)).toThrow(
      expect.objectContaining({
        code: 'ERR_HOST',
        message: 'Cannot use runtime "runc": there is no such program in PATH',
      }),
    );
  });

  it.each(['io.containerd.runc.v2', 'youki', '..', 'runc\u001b[2J'])('knows no %j', (name) => {
    const expected = {
      code: 'ERR_USAGE',
      message: `unknown or invalid runtime name: ${name.replace('\u001b', '\\x1b')}`,
    };
    expect(() => findRuntime(name, '/usr/sbin:/usr/bin')).toThrow(expect.objectContaining(expected));
  });

  it('takes paths, from the current folder', async () => {
    const folder = await layPrograms();
    const path = `${folder}/second/crun`;
    expect(findRuntime(path, '')).toEqual({ name: path, path });
    const name = `./${relative('.', path)}`;
    expect(findRuntime(name, '')).toEqual({ name, path });
    for (const [program, reason] of [
      ['first/runc', 'permission denied'],
      ['first/crun', 'it is not a file'],
      ['first/none', 'no such file or directory'],
      ['second/dangling', 'no such file or directory'],
      ['first/runc/x', 'not a directory'],
    ] as const) {
      const wrong = `${folder}/${program}`;
      expect(() => findRuntime(wrong, '')).toThrow(
        expect.objectContaining({ code: 'ERR_HOST', message: `Cannot use runtime "${wrong}": ${reason}` }),
      );
    }
  });
});
