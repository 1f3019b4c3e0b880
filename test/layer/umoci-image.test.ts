import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

import { describe, expect, it, onTestFinished } from 'vitest';

import { requires } from '../support/requirements.ts';
import { readTree } from './support/read-tree.ts';
import { openWorkspace } from './support/workspace.ts';

const LAYOUT = fileURLToPath(new URL('../../fixtures/umoci-image/', import.meta.url));
const LISTING = fileURLToPath(new URL('../../fixtures/umoci-image.txt', import.meta.url));

describe('the image of fixtures/', requires('root'), () => {
  it('is, through an overlay, the tree that umoci unpacked of it', async () => {
    const workspace = openWorkspace();
    const lowers: string[] = [];
    for (const compressed of layersOf('latest')) {
      const { root } = await workspace.unpack(gunzipSync(compressed), { compressed, lowers: [...lowers] });
      lowers.push(root);
    }
    const merged = mountOver(lowers, join(workspace.folder, 'layer-merged'));
    const lines = Object.entries(readTree(merged)).map(([path, what]) => `${path}: ${what}\n`);
    expect(lines.join('')).toBe(readFileSync(LISTING, 'latin1'));
  });
});

interface Descriptor {
  digest: string;
  annotations?: Record<string, string>;
}

/** The blobs of its layers, bottom first. */
function layersOf(name: string): Buffer[] {
  const index = readJson('index.json') as { manifests: Descriptor[] };
  const wanted = index.manifests.find(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === name);
  if (wanted === undefined) throw new Error(`The layout has no image "${name}"`);
  const manifest = readJson(blobPath(wanted)) as { layers: Descriptor[] };
  return manifest.layers.map((layer) => readFileSync(join(LAYOUT, blobPath(layer))));
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(LAYOUT, path), 'utf8'));
}

function blobPath({ digest }: Descriptor): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function mountOver(lowers: readonly string[], point: string): string {
  mkdirSync(point);
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `ro,lowerdir=${lowers.toReversed().join(':')}`, point]);
  onTestFinished(() => void execFileSync('umount', [point]));
  return point;
}
