import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEngine } from '../../src/image/engine.ts';
import { pullImage } from '../../src/image/pull-image.ts';
import type { PulledImage } from '../../src/image/pull-event.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { filesIn } from '../registry/open-mirrored.ts';
import { wrongBlobs } from '../store/open-test-store.ts';
import type { PutImage, TestRegistry } from '../support/registry/index.ts';
import { putImage, startRegistry } from '../support/registry/index.ts';
import { tarLayer } from './test-layers.ts';

interface Bench {
  upstream: TestRegistry;
  mirrors: TestRegistry[];
  image: PutImage;
  store: string;
  pull: () => Promise<PulledImage>;
}

/** An image that a registry and its mirrors have, and an empty store. */
async function start(count: number): Promise<Bench> {
  const registries = await Promise.all(Array.from({ length: count + 1 }, async () => startRegistry()));
  onTestFinished(async () => void (await Promise.all(registries.map(async (registry) => registry.close()))));
  const [upstream, ...mirrors] = registries;
  if (upstream === undefined) throw new RangeError('no registry');
  const layers = [
    await tarLayer({ 'etc/': null, 'etc/name': 'one' }),
    await tarLayer({ 'bin/': null, 'bin/tool': 'a tool' }),
  ];
  const [image] = registries.map((registry) => putImage(registry, 'app', 'v1', { layers }));
  if (image === undefined) throw new RangeError('no image');
  const toml = mirrors.map(({ url }) => `[host."${url}"]\n`).join('');
  const hostsFolders = [await filesIn({ [`${upstream.host}/hosts.toml`]: toml })];
  const engine = await openEngine({ home: join(await temporaryFolder(), 'store') });
  return {
    upstream,
    mirrors,
    image,
    store: engine.store.root,
    pull: async () =>
      pullImage(engine, `${upstream.host}/app:v1`, { registry: { hostsFolders, retryPolicy: { baseDelayMs: 1 } } }),
  };
}

const blobRequests = ({ log }: TestRegistry, digest: string): number =>
  log.filter(({ path }) => path.includes(digest)).length;

describe('pullImage() with mirrors', () => {
  it('asks the mirror alone, and once when nothing has changed', async () => {
    const { upstream, mirrors, pull } = await start(1);
    await pull();
    for (const registry of mirrors) registry.log.length = 0;
    expect(await pull()).toMatchObject({ upToDate: true });
    expect(mirrors.map(({ log }) => log.map(({ method }) => method))).toEqual([['HEAD']]);
    expect(upstream.log).toEqual([]);
  });

  it('is not told that an image is up to date by a mirror that is gone', async () => {
    const { upstream, mirrors, pull } = await start(1);
    await pull();
    await mirrors[0]?.close();
    expect(await pull()).toMatchObject({ upToDate: true });
    expect(upstream.log.map(({ method }) => method)).toEqual(['HEAD']);
  });

  it('R03 fetches a blob from the next host that a mirror has wrong, each mirror asked once', async () => {
    const { upstream, mirrors, image, store, pull } = await start(2);
    const [layer] = image.layers;
    for (const mirror of mirrors) {
      mirror.putBlob('app', Buffer.alloc(layer?.size ?? 0, 'x'), { digest: layer?.digest ?? '' });
    }
    await pull();
    const digest = layer?.digest ?? '';
    expect([...mirrors, upstream].map((registry) => blobRequests(registry, digest))).toEqual([1, 1, 1]);
    expect(wrongBlobs(store)).toEqual([]);
  });

  it('R03 fetches a blob afresh of which a mirror sent a wrong start before it died', async () => {
    const { upstream, mirrors, image, store, pull } = await start(1);
    const [layer] = image.layers;
    const digest = layer?.digest ?? '';
    mirrors[0]?.faults.add(
      { path: digest, body: Buffer.alloc(layer?.size ?? 0, 'x'), resetAfter: 20 },
      { path: digest, connection: 'reset', times: 9 },
    );
    await pull();
    const ranges = upstream.log
      .filter(({ path }) => path.includes(digest))
      .map(({ headers }) => headers['range'] ?? 'all');
    expect(ranges).toEqual(['bytes=20-', 'all']);
    expect(wrongBlobs(store)).toEqual([]);
  });

  it('R03 says whose digest it is when all hosts have it wrong, and leaves nothing', async () => {
    const { upstream, mirrors, image, store, pull } = await start(1);
    const [layer] = image.layers;
    const digest = layer?.digest ?? '';
    const wrong = Buffer.alloc(layer?.size ?? 0, 'x');
    for (const registry of [upstream, ...mirrors]) registry.putBlob('app', wrong, { digest });
    await expect(pull()).rejects.toMatchObject({
      code: 'ERR_INTEGRITY',
      message: expect.stringContaining(digest) as string,
    });
    expect([...mirrors, upstream].map((registry) => blobRequests(registry, digest))).toEqual([1, 2]);
    expect(wrongBlobs(store)).toEqual([]);
  });
});
