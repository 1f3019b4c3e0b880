import { describe, expect, it } from 'vitest';
import { partialDownloads, removePartialDownload } from '../../src/image/partial-downloads.ts';
import { pullImage } from '../../src/image/pull-image.ts';
import { parseDigest, shortDigest } from '../../src/oci/digest.ts';
import { putImage } from '../support/registry/index.ts';
import { startBench } from './bench.ts';
import type { Bench } from './bench.ts';

interface HalfPulled extends Bench {
  home: string;
  digests: string[];
}

/** A store in which a pull of `v1` was stopped: the registry has sent 5 bytes of each layer. */
async function startHalfPulled(): Promise<HalfPulled> {
  const bench = await startBench();
  const { layers } = putImage(bench.registry, 'app', 'v1', { layers: bench.layers, config: { Cmd: ['/bin/tool'] } });
  const digests = layers.map(({ digest }) => digest);
  for (const digest of digests) bench.registry.faults.add({ path: `/blobs/${digest}`, stallAfter: 5 });
  const abort = new AbortController();
  const arrived = new Set<string>();
  const pull = pullImage(bench.engine, `${bench.name}:v1`, {
    signal: abort.signal,
    onProgress: (event) => {
      if (event.kind === 'layer' && event.current === 5) arrived.add(event.digest);
      if (arrived.size === layers.length) abort.abort();
    },
  });
  await expect(pull).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  return { ...bench, home: bench.engine.store.root, digests };
}

describe('partialDownloads()', () => {
  it('tells what a pull that was stopped has left, and nothing once it has gone on', async () => {
    const bench = await startHalfPulled();
    const downloads = await partialDownloads(bench);
    expect(downloads.map(({ digest }) => digest).sort()).toEqual([...bench.digests].sort());
    for (const download of downloads) {
      const bytes = bench.layers[bench.digests.indexOf(download.digest)]?.bytes.length;
      expect(download).toMatchObject({ size: 5, total: bytes, reference: `${bench.name}:v1`, active: false });
    }
    bench.registry.log.length = 0;
    await pullImage(bench.engine, `${bench.name}:v1`);
    expect(bench.registry.log.filter(({ headers }) => headers['range'] === 'bytes=5-')).toHaveLength(2);
    expect(await partialDownloads(bench)).toEqual([]);
  });
});

describe('removePartialDownload()', () => {
  it('removes all of an image, by any spelling of its name', async () => {
    const bench = await startHalfPulled();
    const removed = await removePartialDownload(`${bench.name}:v1`, bench);
    expect(removed.map(({ size }) => size)).toEqual([5, 5]);
    expect(await partialDownloads(bench)).toEqual([]);
    expect((await pullImage(bench.engine, `${bench.name}:v1`)).upToDate).toBe(false);
  });

  it.each([
    ['a digest', (digest: string) => digest],
    ['its hexadecimal digits', (digest: string) => digest.slice('sha256:'.length)],
    ['the first of them', (digest: string) => digest.slice('sha256:'.length, 'sha256:'.length + 12)],
  ])('removes one by %s', async (_, spell) => {
    const bench = await startHalfPulled();
    const [first = '', second] = bench.digests;
    expect(await removePartialDownload(spell(first), bench)).toEqual([{ digest: first, size: 5 }]);
    expect((await partialDownloads(bench)).map(({ digest }) => digest)).toEqual([second]);
  });

  it('removes none of an image while a process is at one of them', async () => {
    const bench = await startHalfPulled();
    const [active] = await partialDownloads(bench);
    if (active === undefined) throw new Error('no download');
    const descriptor = { mediaType: '', digest: active.digest, size: active.total ?? 0 };
    const ingest = await bench.engine.store.blobs.ingest(descriptor);
    await expect(removePartialDownload(`${bench.name}:v1`, bench)).rejects.toMatchObject({
      code: 'ERR_CONFLICT',
      message: `Cannot remove the download of "${shortDigest(active.digest)}": a pull is at it`,
    });
    expect(await partialDownloads(bench)).toHaveLength(2);
    await ingest?.suspend();
  });

  it.each([
    ['nope', 'ERR_NO_SUCH_DOWNLOAD', 'No such partial download: nope'],
    ['', 'ERR_NO_SUCH_DOWNLOAD', 'No such partial download: '],
    ['sha256:', 'ERR_NO_SUCH_DOWNLOAD', 'No such partial download: sha256:'],
    ['\u001b[31m', 'ERR_NO_SUCH_DOWNLOAD', 'No such partial download: \\x1b[31m'],
  ])('removes nothing for "%s"', async (text, code, message) => {
    const bench = await startHalfPulled();
    await expect(removePartialDownload(text, bench)).rejects.toMatchObject({ code, message });
    expect(await partialDownloads(bench)).toHaveLength(2);
  });

  it('refuses digits that several digests begin with', async () => {
    const bench = await startBench();
    const { store } = bench.engine;
    const digests = ['ab', 'ac'].map((start) => parseDigest(`sha256:${start.padEnd(64, '0')}`));
    for (const digest of digests) {
      const ingest = await store.blobs.ingest({ mediaType: '', digest, size: 9 });
      await ingest?.write(Buffer.from('x'));
      await ingest?.suspend();
    }
    await expect(removePartialDownload('a', { home: store.root })).rejects.toMatchObject({ code: 'ERR_USAGE' });
    expect(await removePartialDownload('ab', { home: store.root })).toEqual([{ digest: digests[0], size: 1 }]);
  });
});
