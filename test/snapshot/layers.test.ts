import { appendFileSync, chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { digestOf } from '../../src/oci/digest.ts';
import { readLayerInfo } from '../../src/snapshot/inspect-layer.ts';
import { layerFolder, publishLayer, stageLayer, statLayer } from '../../src/snapshot/layers.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';

const CHAIN_ID = digestOf(Buffer.from('chain'));
const INFO = { diffId: digestOf(Buffer.from('diff')), size: 3, entries: 1 };

describe('publishLayer()', () => {
  it('gives a staged layer its name', async () => {
    const layers = await temporaryFolder();
    const staged = await stageLayer(layers, CHAIN_ID);
    expect(statLayer(layers, CHAIN_ID)).toBeUndefined();
    writeFileSync(staged.manifest, '');
    expect(await publishLayer(layers, staged, INFO)).toBe(true);
    expect(statLayer(layers, CHAIN_ID)).toEqual(INFO);
  });

  it('makes a layer whose size is told by its "done" alone, also when the rest is gone', async () => {
    const layers = await temporaryFolder();
    const staged = await stageLayer(layers, CHAIN_ID);
    await publishLayer(layers, staged, INFO);
    const folder = layerFolder(layers, CHAIN_ID);
    expect(statLayer(layers, CHAIN_ID)).toBeUndefined(); // there is no tree manifest
    expect(readLayerInfo(folder)).toEqual(INFO);
    chmodSync(join(folder, 'done'), 0o644);
    appendFileSync(join(folder, 'done'), Buffer.from([0xff]));
    expect(readLayerInfo(folder)).toBeUndefined();
    expect(readLayerInfo(join(layers, 'none'))).toBeUndefined();
  });

  it('F5 leaves alone what somebody else has published, and says so', async () => {
    const layers = await temporaryFolder();
    const [first, second] = [await stageLayer(layers, CHAIN_ID), await stageLayer(layers, CHAIN_ID)];
    writeFileSync(join(first.tree, 'first'), '');
    writeFileSync(first.manifest, '');
    expect(await publishLayer(layers, first, INFO)).toBe(true);
    expect(await publishLayer(layers, second, { ...INFO, size: 4 })).toBe(false);
    expect(existsSync(join(layerFolder(layers, CHAIN_ID), 'fs/first'))).toBe(true);
    expect(statLayer(layers, CHAIN_ID)).toEqual(INFO);
    expect(existsSync(second.folder)).toBe(true);
  });

  it.each(['stage', 'publish'])('S05 when it cannot %s, it says which layer with ERR_STORE', async (step) => {
    const layers = await temporaryFolder();
    const staged = await stageLayer(layers, CHAIN_ID);
    mkdirSync(join(staged.folder, 'done')); // where a file is to be
    const failing =
      step === 'stage' ? stageLayer(join(layers, 'nowhere'), CHAIN_ID) : publishLayer(layers, staged, INFO);
    await expect(failing).rejects.toMatchObject({
      code: 'ERR_STORE',
      message: expect.stringMatching(/^Cannot (create|write) "\/.*": /) as string,
    });
  });
});
