// The images of the benchmark, pushed to the workspace's registry.
import { readFileSync } from 'node:fs';

import { BUSYBOX_TOOLS } from './lay-root-file-system.mjs';
import { makeLayer } from './make-layer.mjs';
import { pushImage } from './push-image.mjs';

const KB = 1000;

/** Five layers, the first a static busybox; 50,000 files, 1.5 GB; about 500 MB compressed. */
export async function pushFiveLayers({ registry }) {
  const layers = [await busyboxLayer()];
  for (const seed of ['a', 'b', 'c', 'd']) layers.push(await makeLayer({ seed, files: 12_500, size: 30 * KB }));
  return { image: await pushImage(registry, 'bench/five:latest', layers), layers };
}

/** The same four layers, and another fifth; and that one alone. */
export async function pushShared({ registry }, layers) {
  const other = await makeLayer({ seed: 'other', files: 12_500, size: 30 * KB });
  return {
    image: await pushImage(registry, 'bench/shared:latest', [...layers.slice(0, -1), other]),
    alone: await pushImage(registry, 'bench/alone:latest', [other]),
  };
}

/** One layer, 20,000 files; `megabytes` when it is compressed, roughly. */
export async function pushOneLayer({ registry }, megabytes) {
  const files = Math.min(20_000, megabytes * 40);
  const layer = await makeLayer({ seed: 'one', files, size: (megabytes * 3 * KB * KB) / files });
  return pushImage(registry, `bench/one:${megabytes}`, [layer]);
}

/** One layer of files of 12 MB, which do not compress. */
export async function pushNoise({ registry }, megabytes) {
  const files = Math.ceil(megabytes / 12);
  const layer = await makeLayer({ seed: 'noise', noise: true, files, size: (megabytes / files) * KB * KB });
  return pushImage(registry, `bench/noise:${megabytes}`, [layer]);
}

/** 200,000 files of 1 kB. */
export async function pushSmallFiles({ registry }) {
  const layer = await makeLayer({ seed: 'small', files: 200_000, size: KB });
  return { image: await pushImage(registry, 'bench/small:latest', [layer]), layer };
}

/** A static busybox, with as many layers of one small file each on it as are wanted. */
export async function pushBusybox({ registry }, more = 0) {
  const layers = [await busyboxLayer()];
  for (let index = 0; index < more; index += 1)
    layers.push(await makeLayer({ extra: [[{ name: `${index}` }, 'a layer']] }));
  return pushImage(registry, `bench/busybox:${layers.length}`, layers);
}

/** A static busybox and files of zeros, `bytes` in all. */
export async function pushOfSize({ registry }, bytes) {
  const zeros = Buffer.alloc(Math.min(bytes, LARGEST_FILE));
  const files = Array.from({ length: Math.ceil(bytes / zeros.length) }, (_, index) => [
    { name: `zeros-${index}` },
    zeros,
  ]);
  return pushImage(registry, `bench/size:${bytes}`, [await busyboxLayer(files)]);
}

const LARGEST_FILE = 256 * 1024 * 1024; // bytes: all of it is in memory

async function busyboxLayer(more = []) {
  const program = [{ name: 'bin/busybox', mode: 0o755 }, readFileSync('/bin/busybox')];
  const links = BUSYBOX_TOOLS.map((name) => [{ name: `bin/${name}`, type: 'symlink', linkname: 'busybox' }]);
  return makeLayer({ extra: [program, ...links, ...more] });
}
