import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { requires } from '../support/requirements.ts';
import { CALLERS } from './support/callers.ts';
import { openCliHome, type CliHome } from './support/cli-home.ts';
import { startRecordingProxy, type RecordingProxy } from './support/recording-proxy.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

describe.each(CALLERS)('mydocker verify, as $caller', requires(...TEST_BED_NEEDS, 'ordinary-users'), ({ user }) => {
  let home: CliHome;
  let proxy: RecordingProxy;
  let image: string;

  beforeEach(async () => {
    home = openCliHome(user);
    proxy = await startRecordingProxy(testBed().registry);
    image = `${proxy.host}/test/layered:gzip`;
    expect(await home.mydocker(['pull', '-q', image])).toMatchObject({ code: 0, stderr: '' });
    proxy.requests.length = 0;
  });

  afterEach(async () => {
    await proxy.stop();
    home.remove();
  });

  it('finds nothing in a store that is as it should be', async () => {
    expect(await home.mydocker(['verify', '--deep'])).toEqual({
      code: 0,
      stdout: 'Verified 1 image, 8 blobs and 6 layers: nothing is damaged\n',
      stderr: '',
    });
  });

  it('S17 S18 finds a damaged blob that run refuses, and downloads only that', async () => {
    const [digest = ''] = layersOf(home);
    const path = join(home.store, 'blobs/sha256', digest);
    const { mode, size } = statSync(path);
    chmodSync(path, 0o600);
    truncateSync(path, size >> 1);
    chmodSync(path, mode);
    const ran = await home.mydocker(['run', '--rm', image, 'true']);
    expect(ran.code).toBe(125);
    expect(ran.stderr).toContain(
      `Cannot run "${image}": the image is damaged: the blob of its layer ${digest.slice(0, 12)}`,
    );
    expect(ran.stderr).toContain(`mydocker verify --repair ${image}`);
    const found = await home.mydocker(['verify', image]);
    expect(found.code).toBe(1);
    expect(found.stdout).toContain(`damaged blob sha256:${digest} (layer of ${image}): its digest is sha256:`);
    expect(proxy.requests).toEqual([]);

    const repaired = await home.mydocker(['verify', '--repair', image]);
    expect(repaired).toMatchObject({ code: 0, stderr: '' });
    expect(repaired.stdout).toContain('[repaired: downloaded again]');
    const urls = proxy.requests.map(({ url }) => url).filter((url) => url !== '/v2/');
    expect(urls).toEqual([`/v2/test/layered/blobs/sha256:${digest}`]);
    expect(await home.mydocker(['verify', '--deep'])).toMatchObject({ code: 0 });
  });

  it('S17 S19 finds what is wrong in a layer, and unpacks that layer again without the network', async () => {
    const layers = join(home.store, 'layers');
    const folder = readdirSync(layers).find((name) => readdirSync(join(layers, name, 'fs')).includes('last')) ?? '';
    rmSync(join(layers, folder, 'fs/last'), { recursive: true });
    const found = await home.mydocker(['verify', '--deep']);
    expect(found.code).toBe(1);
    expect(found.stdout).toContain(`damaged layer sha256:${folder} (of ${image}): last: it is missing\n`);
    await proxy.stop();
    expect(await home.mydocker(['verify', '--deep', '--repair'])).toMatchObject({ code: 0 });
    expect((await home.mydocker(['verify', '--deep'])).code).toBe(0);
  });
});

describe('mydocker verify', requires(...TEST_BED_NEEDS), () => {
  it('S08 works on a store that is read-only, where repair says that it is', async () => {
    const home = openCliHome();
    onTestFinished(() => home.remove());
    const image = `${testBed().registry}/library/busybox`;
    expect((await home.mydocker(['pull', '-q', image])).code).toBe(0);
    writeFileSync(join(home.store, 'blobs/sha256/stray'), '');
    const readOnly = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"';
    const options = { prefix: ['unshare', '--mount', 'sh', '-c', readOnly, home.store] };
    const found = await home.mydocker(['verify', '--deep'], options);
    expect(found).toMatchObject({ code: 1, stderr: '' });
    expect(found.stdout).toContain('extra file blobs/sha256/stray: it is no part of the store\n');
    const repaired = await home.mydocker(['verify', '--repair'], options);
    expect(repaired.code).toBe(1);
    expect(repaired.stderr).toContain('the file system is read-only');
  });

  it('I4 mends under a running container only what that does not use', async () => {
    const home = openCliHome();
    onTestFinished(() => home.remove());
    const image = `${testBed().registry}/library/busybox`;
    const running = home.start(['run', '--rm', '-i', image, 'cat'], { stdin: 'open' });
    running.child.stdin?.write('ready\n');
    await running.says('ready');
    const [layer = ''] = readdirSync(join(home.store, 'layers'));
    mkdirSync(join(home.store, 'layers', layer, 'fs/stray'));
    const refused = await home.mydocker(['verify', '--deep', '--repair']);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toMatch(
      /stray: it is there, and should not be \[not repaired: the running container [0-9a-f]{12} uses it/,
    );
    running.child.stdin?.end('alive\n');
    expect(await running.ended).toMatchObject({ code: 0, stdout: 'ready\nalive\n' });
    expect(await home.mydocker(['verify', '--deep', '--repair'])).toMatchObject({ code: 0 });
    expect((await home.mydocker(['run', '--rm', image, 'ls', '/stray'])).code).toBe(1);
  });
});

/** Hexadecimal digests of the layers of the only image, bottom first. */
function layersOf({ store }: CliHome): string[] {
  const read = (digest: string): unknown =>
    JSON.parse(readFileSync(join(store, 'blobs', digest.replace(':', '/')), 'utf8'));
  const index = JSON.parse(readFileSync(join(store, 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
  const manifest = read(index.manifests[0]?.digest ?? '') as { layers: { digest: string }[] };
  return manifest.layers.map(({ digest }) => digest.slice('sha256:'.length));
}
