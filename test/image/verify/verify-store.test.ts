import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { pullImage } from '../../../src/image/pull-image.ts';
import { findRunnableImage } from '../../../src/image/runnable-image.ts';
import { requires } from '../../support/requirements.ts';
import { startBench, unrepaired, type Bench } from './bench.ts';
import { DAMAGES, changedPaths, fingerprints } from './damage.ts';

interface Target {
  /** From the root of the store. */
  path: (bench: Bench) => string;
  /** What may change when it is repaired: a blob, or a folder. It is the path itself unless given. */
  mends?: (bench: Bench) => string;
  /** A file in a layer: only a deep verification finds it. */
  isDeep?: boolean;
  /** Damages that a start notices, by the first word. */
  noticed: readonly string[];
  /** How many requests a repair takes. */
  requests: number;
}

const ALL = ['S17', 'S18', 'S19'];
const SIZES = ['S18', 'S19'];
const layerFolder =
  (index: number) =>
  ({ layerFolders }: Bench): string =>
    layerFolders[index] ?? '';
const inLayer =
  (index: number, name: string) =>
  (bench: Bench): string =>
    join(layerFolder(index)(bench), name);

const TARGETS: Record<string, Target> = {
  'the index': { path: ({ blob, digests }) => blob(digests.index), noticed: SIZES, requests: 1 },
  'the manifest': { path: ({ blob, digests }) => blob(digests.manifest), noticed: ALL, requests: 1 },
  'the config': { path: ({ blob, digests }) => blob(digests.config), noticed: ALL, requests: 1 },
  'the blob of a layer': {
    path: ({ blob, digests }) => blob(digests.layers[1] ?? digests.config),
    noticed: SIZES,
    requests: 1,
  },
  'oci-layout': { path: () => 'oci-layout', noticed: [], requests: 0 },
  'a tree manifest': { path: inLayer(1, 'manifest'), mends: layerFolder(1), noticed: SIZES, requests: 0 },
  'the done of a layer': { path: inLayer(0, 'done'), mends: layerFolder(0), noticed: ALL, requests: 0 },
  'a file of the lowest layer': {
    path: inLayer(0, 'fs/etc/passwd'),
    mends: layerFolder(0),
    isDeep: true,
    noticed: [],
    requests: 0,
  },
  'a file of the topmost layer': {
    path: inLayer(2, 'fs/srv/data'),
    mends: layerFolder(2),
    isDeep: true,
    noticed: [],
    requests: 0,
  },
  'the account file passwd': { path: inLayer(2, 'passwd'), isDeep: true, noticed: ['S19'], requests: 0 },
  'the account file group': { path: inLayer(2, 'group'), isDeep: true, noticed: ['S19'], requests: 0 },
};

/** Every kind of file with every kind of damage. */
const CASES = Object.keys(TARGETS).flatMap((target) => Object.keys(DAMAGES).map((damage) => [target, damage] as const));

// One store for all cases: each leaves it as it was, or fails.
describe('verify()', requires('root'), () => {
  let bench: Bench;
  beforeAll(async () => (bench = await startBench()));
  afterAll(async () => bench.close());

  it.each(CASES)('I1 I2 finds damage to %s: %s; repairs only that', async (targetName, damageName) => {
    const { path, mends = path, isDeep = false, requests } = TARGETS[targetName]!;
    const before = fingerprints(bench.root);
    DAMAGES[damageName]!(join(bench.root, path(bench)));
    bench.registry.log.length = 0;

    const found = await bench.verify({ deep: isDeep, image: targetName === 'oci-layout' ? undefined : bench.name });
    expect(found.findings).not.toEqual([]);
    expect(bench.requests()).toEqual([]);

    const repaired = await bench.verify({ deep: isDeep, repair: true });
    expect(unrepaired(repaired)).toEqual([]);
    expect(repaired.findings).toHaveLength(found.findings.length);
    expect(bench.requests()).toHaveLength(requests);
    const allowed = mends(bench);
    const changed = changedPaths(before, fingerprints(bench.root));
    expect(changed).not.toEqual([]);
    expect(changed.filter((name) => name !== allowed && !name.startsWith(`${allowed}/`))).toEqual([]);
    expect((await bench.verify({ deep: isDeep || mends !== path })).findings).toEqual([]);
  });
});

describe('findRunnableImage()', requires('root'), () => {
  let bench: Bench;
  beforeAll(async () => (bench = await startBench()));
  afterAll(async () => bench.close());

  const noticed = CASES.filter(([target, damage]) => TARGETS[target]?.noticed.includes(damage.slice(0, 3)));

  it.each(noticed)('I3 I10 refuses to run with damage to %s: %s; a pull mends it', async (targetName, damageName) => {
    DAMAGES[damageName]!(join(bench.root, TARGETS[targetName]!.path(bench)));
    await expect(findRunnableImage(bench.engine, bench.name)).rejects.toMatchObject({
      code: 'ERR_STORE_DAMAGED',
      message: expect.stringMatching(`^Cannot run "${bench.name}": the image is damaged: `) as string,
      hint: `To download and unpack only what is damaged: mydocker verify --repair ${bench.name}, or pull it again: mydocker pull ${bench.name}`,
    });
    await pullImage(bench.engine, bench.name);
    expect(await findRunnableImage(bench.engine, bench.name)).toBeDefined();
    expect((await bench.verify()).findings).toEqual([]);
  });
});
