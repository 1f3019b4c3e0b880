import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { listTree, type Tree } from '../../support/tree-listing.ts';

/**
 * Everything in a store that two runs of the same commands leave alike: all paths with type, mode, owner and content, and in
 * layers the times and attributes as well.
 */
export function storeState(root: string): Tree {
  const tree = listTree(root);
  for (const [path, entry] of tree) {
    const isOfImage = /^\/layers\/[0-9a-f]+\/fs\/./.test(path) && entry.device !== WHITEOUT;
    if (!isOfImage) delete entry.mtime;
    if (path === '/space-reserve') delete entry.digest; // random, so that nothing can compress it
  }
  return tree;
}

const WHITEOUT = '0:0'; // a device, made when the layer is unpacked

/** What is wrong with a store, in one line each: I2 and I3. For blobs there is `wrongBlobs`. `intact` is the state of a good one. */
export function brokenPromises(root: string, intact: Tree): string[] {
  return [...brokenLayers(root, intact), ...brokenNames(root)];
}

/** I2: layers that are there are complete. */
function brokenLayers(root: string, intact: Tree): string[] {
  const layers = namesIn(join(root, 'layers')).filter((name) => existsSync(join(root, 'layers', name, 'done')));
  return layers.flatMap((layer) => {
    const wanted = [...intact.keys()].filter((path) => path.startsWith(`/layers/${layer}/fs`));
    const missing = wanted.filter((path) => !existsSync(join(root, path)) && intact.get(path)?.type !== 'symlink');
    return missing.map((path) => `${path} is missing`);
  });
}

/** I3: what a name needs is there. */
function brokenNames(root: string): string[] {
  if (!existsSync(join(root, 'index.json'))) return []; // the store was only being made
  const read = (digest: string): Document => JSON.parse(readFileSync(blob(root, digest), 'utf8')) as Document;
  const { manifests = [] } = JSON.parse(readFileSync(join(root, 'index.json'), 'utf8')) as Document;
  return manifests.flatMap(({ digest }) => {
    if (!existsSync(blob(root, digest))) return [`manifest ${digest} is missing`];
    const { config, layers = [] } = read(digest);
    const needed = [config?.digest ?? '', ...layers.map((layer) => layer.digest)];
    return needed.filter((one) => !existsSync(blob(root, one))).map((one) => `${one} of ${digest} is missing`);
  });
}

interface Document {
  manifests?: { digest: string }[];
  config?: { digest: string };
  layers?: { digest: string }[];
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function blob(root: string, digest: string): string {
  return join(root, 'blobs', digest.replace(':', '/'));
}
