import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { openCliHome, type CliHome } from './support/cli-home.ts';
import { startDistribution, type Distribution } from './support/distribution.ts';
import { execute } from './support/execute.ts';
import { ApiPusher } from './support/push-by-api.ts';
import { startRecordingProxy, type RecordingProxy } from './support/recording-proxy.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

const LARGE = 24 * 1024 * 1024; // bytes; more than what the sockets on the way hold
const HELD_AFTER = 1024 * 1024;

describe('mydocker pull by mirrors', requires(...TEST_BED_NEEDS), () => {
  let folder: string;
  let registry: Distribution;
  let cache: Distribution;
  /** Recorders before the two: what references and hosts.toml name. */
  let toRegistry: RecordingProxy;
  let toCache: RecordingProxy;
  let home: CliHome;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mydocker-e2e-mirrors-'));
    registry = await startDistribution({ storage: join(folder, 'registry') });
    cache = await startDistribution({ storage: join(folder, 'cache'), cacheOf: registry.host });
    toRegistry = await startRecordingProxy(registry.host);
    toCache = await startRecordingProxy(cache.host);
    home = openCliHome();
  });

  afterEach(async () => {
    home.remove();
    await Promise.all([toRegistry.stop(), toCache.stop(), registry.stop(), cache.stop()]);
    rmSync(folder, { recursive: true });
  });

  it('fills a pull-through cache, and pulls from it when the registry is down', async () => {
    copyBusybox();
    nameMirror(home, `[host."http://${toCache.host}"]`);
    expect(await home.mydocker(['pull', '-q', image('busybox')])).toMatchObject({ code: 0, stderr: '' });
    expect(toRegistry.requests).toEqual([]);
    const namespace = `ns=${encodeURIComponent(toRegistry.host)}`;
    expect(toCache.requests.every(({ url }) => url.endsWith(`?${namespace}`))).toBe(true);
    await registry.stop();
    const other = openCliHome();
    try {
      nameMirror(other, `[host."http://${toCache.host}"]`);
      expect(await other.mydocker(['pull', '-q', image('busybox')])).toMatchObject({ code: 0, stderr: '' });
      expect(await other.mydocker(['run', '--rm', image('busybox'), 'echo', 'hello'])).toMatchObject({
        stdout: 'hello\n',
      });
      expect(toRegistry.requests).toEqual([]);
    } finally {
      other.remove();
    }
  });

  it('goes on at the registry when the cache is killed in the middle of a blob', async () => {
    nameMirror(home, `[host."http://${toCache.host}"]`);
    await pushLarge(registry.host);
    toCache.holdBlobsAfter(HELD_AFTER);
    const pull = home.start(['pull', '-q', image('large')]);
    await toCache.held();
    await cache.stop();
    toCache.release();
    expect(await pull.ended).toMatchObject({ code: 0, stderr: '' });
    const resumed = toRegistry.requests.filter(({ range }) => range !== undefined);
    expect(resumed.map(({ status }) => status)).toEqual([206]);
    const [, first] = /^bytes=(\d+)-$/.exec(resumed[0]?.range ?? '') ?? [];
    expect(Number(first)).toBeGreaterThanOrEqual(HELD_AFTER);
    expect(wrongBlobs(home)).toEqual([]);
  });

  it('tells what was wrong with each host', async () => {
    nameMirror(home, `[host."http://${cache.host}"]`);
    await cache.stop();
    const pulled = await home.mydocker(['pull', image('nothing')]);
    expect(pulled).toMatchObject({ code: 1 });
    const lines = pulled.stderr.trimEnd().split('\n');
    expect(lines).toEqual([
      `Error: mirror ${cache.host}: Cannot pull "${image('nothing')}:latest": ${cache.host} cannot be reached: connection refused`,
      expect.stringMatching(/^manifest for .*\/nothing:latest not found/),
    ]);
  });

  it('takes the folder of XDG_CONFIG_HOME, and says which file is wrong', async () => {
    copyBusybox();
    nameMirror(home, 'server = 5', join(home.folder, 'settings'));
    const env = { XDG_CONFIG_HOME: join(home.folder, 'settings') };
    const pulled = await home.mydocker(['pull', image('busybox')], { env });
    expect(pulled).toMatchObject({ code: 1 });
    expect(pulled.stderr).toBe(
      `Error: Cannot use "${home.folder}/settings/mydocker/certs.d/${toRegistry.host}/hosts.toml": server is 5, a string was wanted\n`,
    );
    expect(await home.mydocker(['pull', '-q', image('busybox')])).toMatchObject({ code: 0 });
  });

  function copyBusybox(): void {
    const [from, to] = [testBed().registry, registry.host].map((host) => `docker://${host}/library/busybox:latest`);
    execute('skopeo', ['copy', '--src-tls-verify=false', '--dest-tls-verify=false', from ?? '', to ?? '']);
  }

  function image(name: string): string {
    return `${toRegistry.host}/library/${name}`;
  }

  function nameMirror({ folder: own }: CliHome, text: string, configuration = join(own, '.config')): void {
    const path = join(configuration, 'mydocker/certs.d', toRegistry.host);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'hosts.toml'), text);
  }
});

/** Names of blobs whose content is another. */
function wrongBlobs({ store }: CliHome): string[] {
  const blobs = join(store, 'blobs/sha256');
  return readdirSync(blobs).filter(
    (name) =>
      createHash('sha256')
        .update(readFileSync(join(blobs, name)))
        .digest('hex') !== name,
  );
}

/** An image of one file that does not get smaller. */
async function pushLarge(host: string): Promise<void> {
  const archive = pack();
  archive.entry({ name: 'large' }, randomBytes(LARGE));
  archive.finalize();
  const layer = await buffer(archive);
  const api = new ApiPusher(host, 'library/large');
  const layers = [await api.pushBlob(layer, 'application/vnd.oci.image.layer.v1.tar')];
  const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) };
  const text = JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs });
  const config = await api.pushBlob(Buffer.from(text), 'application/vnd.oci.image.config.v1+json');
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  await api.pushManifest('latest', { schemaVersion: 2, mediaType, config, layers });
}
