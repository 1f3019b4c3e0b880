import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { resolveOptions } from '../../src/container/resolve-options.ts';
import type { OptionSources } from '../../src/container/resolve-options.ts';

const IMAGE: OptionSources['image'] = {
  user: '',
  env: ['A=1'],
  entrypoint: [],
  cmd: ['sh'],
  workingDir: '/app',
  labels: {},
  exposedPorts: [],
  volumes: ['/data', '/mine/inner'],
};

const SOURCES: OptionSources = {
  id: 'f'.repeat(64),
  image: IMAGE,
  accounts: { passwd: 'root:x:0:0::/root:\nfar:x:70000:0::/:\n', group: '' },
  options: { args: [] },
  host: { uid: 0, gid: 0, ownership: { kind: 'root' }, mappingObstacle: undefined },
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mydocker-options-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('resolveOptions()', () => {
  it('takes from the image what the user does not say', () => {
    expect(resolveOptions(SOURCES)).toMatchObject({
      command: ['sh'],
      workingFolder: '/app',
      hostname: 'f'.repeat(12),
      network: 'host',
      mounts: [],
      imageVolumes: ['/data', '/mine/inner'],
      readOnlyRoot: false,
      shmSize: 67_108_864,
      user: { uid: 0 },
    });
  });

  it('looks at the host side of volumes, and makes what is missing', () => {
    writeFileSync(join(folder, 'file'), '');
    const volumes = ['missing/deep', 'file'].map((name) => ({
      source: join(folder, name),
      target: `/${name}`,
      readOnly: true,
    }));
    const devices = [{ source: '/dev/null', target: '/null', readOnly: false }];
    const { mounts } = resolveOptions({ ...SOURCES, options: { args: [], volumes: [...volumes, ...devices] } });
    expect(mounts.map((mount) => mount.kind === 'volume' && mount.sourceKind)).toEqual(['folder', 'file', 'device']);
    expect(statSync(join(folder, 'missing/deep')).isDirectory()).toBe(true);
  });

  it('makes nothing on the host when something is wrong', () => {
    const volumes = [{ source: join(folder, 'missing'), target: '/x', readOnly: false }];
    for (const options of [{ user: 'nobody-here' }, { hostname: 'a b' }, { workingFolder: 'x' }, { entrypoint: '' }]) {
      expect(() => resolveOptions({ ...SOURCES, options: { args: [], volumes, ...options } })).toThrow();
    }
    expect(existsSync(join(folder, 'missing'))).toBe(false);
  });

  it('takes a volume without a source for a VOLUME, and mounts over those of the image', () => {
    const { imageVolumes } = resolveOptions({
      ...SOURCES,
      options: {
        args: [],
        volumes: [
          { target: '/anonymous', readOnly: false },
          { source: folder, target: '/mine', readOnly: false },
        ],
      },
    });
    expect(imageVolumes).toEqual(['/data', '/anonymous']);
  });

  it('refuses two mounts at one place', () => {
    const volumes = [{ source: folder, target: '/x', readOnly: false }];
    const tmpfs = [{ kind: 'tmpfs' as const, target: '/x', attributes: 0, options: [] }];
    expect(() => resolveOptions({ ...SOURCES, options: { args: [], volumes, tmpfs } })).toThrow(
      'Duplicate mount point: /x',
    );
  });

  it.for(['', 'a b', 'a\n127.0.0.1 evil', 'ä', 'a'.repeat(65)])('refuses host name %j', (hostname) => {
    expect(() => resolveOptions({ ...SOURCES, options: { args: [], hostname } })).toThrow('invalid hostname');
  });

  it('refuses users that the user namespace does not have, with the remedy', () => {
    const mapped = {
      kind: 'mapped' as const,
      uids: [
        { inside: 0, outside: 1000, count: 1 },
        { inside: 1, outside: 100_000, count: 65_536 },
      ],
      gids: [{ inside: 0, outside: 1000, count: 1 }],
    };
    const run = (user: string, ownership: OptionSources['host']['ownership']): unknown =>
      resolveOptions({
        ...SOURCES,
        options: { args: [], user },
        host: { ...SOURCES.host, ownership, mappingObstacle: { cause: 'No ids', remedy: 'get ids' } },
      });
    expect(() => run('65536', mapped)).not.toThrow();
    expect(() => run('65537', mapped)).toThrow('Cannot run as user 65537: it does not exist');
    expect(() => run('far', mapped)).toThrow('Cannot run as user 70000');
    expect(() => run('0:5', mapped)).toThrow('Cannot run as group 5');
    const single = { kind: 'single' as const, uid: 1000, gid: 1000 };
    expect(() => run('0', single)).not.toThrow();
    expect(() => run('5', single)).toThrow(
      expect.objectContaining({
        hint: 'No ids: get ids; or run it as root of the container, which is you: --user 0',
      }) as Error,
    );
  });
});
