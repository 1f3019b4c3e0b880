import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { resolveVolume } from '../../src/container/resolve-volume.ts';
import { requires } from '../support/requirements.ts';

describe('resolveVolume()', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mydocker-volume-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const resolve = (source: string): unknown => resolveVolume({ source, target: '/x', readOnly: false });

  it('mounts a harmless device by its own name, as another may have taken its place by then', requires('root'), () => {
    const [node, disk, link] = ['node', 'disk', 'link'].map((name) => join(folder, name)) as [string, string, string];
    execFileSync('mknod', [node, 'c', '1', '3']);
    execFileSync('mknod', [disk, 'b', '7', '0']);
    symlinkSync('/dev/zero', link);
    expect(resolve(node)).toMatchObject({ source: '/dev/null', sourceKind: 'device' });
    expect(resolve(link)).toMatchObject({ source: '/dev/zero', sourceKind: 'device' });
    expect(resolve(disk)).toMatchObject({ source: disk, sourceKind: 'file' }); // behind nodev
  });

  it('makes a folder that is missing', () => {
    expect(resolve(join(folder, 'new/er'))).toMatchObject({ source: join(folder, 'new/er'), sourceKind: 'folder' });
    expect(resolve(join(folder, 'new'))).toMatchObject({ sourceKind: 'folder' });
  });

  it.each(['/proc/no-such/folder', '/proc/no-such'])('refuses %s, which nobody can make', (source) => {
    expect(() => resolve(source)).toThrow(/^Cannot mount the volume "\/proc\/no-such.*: ENOENT/);
  });

  it('refuses a path through a file, and a symlink to nothing', () => {
    writeFileSync(join(folder, 'file'), '');
    symlinkSync('nothing', join(folder, 'link'));
    expect(() => resolve(join(folder, 'file/er'))).toThrow(/ENOTDIR/);
    expect(() => resolve(join(folder, 'link'))).toThrow(/EEXIST/);
  });
});
