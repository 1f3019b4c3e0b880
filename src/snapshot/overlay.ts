import { mkdirSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Mount, SnapshotDriver } from './mount.ts';

/**
 * Overlayfs straight over the layers' folders. The lower folders are named through short relative links (`l/0:l/1…`):
 * so 127 layers fit into the one page of options that mount(2) takes, and no path of the user's needs escaping.
 * @param whiteouts `user` where overlayfs is mounted in a user namespace and reads `user.overlay.*`
 */
export function overlayDriver(whiteouts: 'trusted' | 'user'): SnapshotDriver {
  return {
    name: 'overlay',
    // Synchronous on purpose: a handful of calls on the way of every start, each far cheaper than a turn of the thread pool.
    // oxlint-disable-next-line typescript/require-await -- the interface waits, this driver has nothing to wait for
    async prepare({ folder, layers, ephemeral }): Promise<Mount> {
      for (const name of ['l', 'upper', 'work', 'rootfs']) mkdirSync(join(folder, name), 0o755);
      const links = join(folder, 'l');
      const toLayer = relativeTo(links);
      const lower = layers.map((layer, index) => {
        symlinkSync(`${toLayer(layer)}/fs`, `${links}/${index}`);
        return `l/${index}`;
      });
      const options = [`lowerdir=${lower.reverse().join(':')}`, 'upperdir=upper', 'workdir=work'];
      if (whiteouts === 'user') options.push('userxattr');
      // Without it, unmounting writes the whole upper folder to the disk, only for it to be deleted.
      if (ephemeral) options.push('volatile');
      return { type: 'overlay', options };
    },
  };
}

/** `relative`, which takes 30 microseconds, once for each folder that layers are in. */
function relativeTo(from: string): (layer: string) => string {
  const ways = new Map<string, string>();
  return (layer) => {
    const end = layer.lastIndexOf('/');
    const parent = layer.slice(0, end);
    const way = ways.get(parent) ?? relative(from, parent);
    ways.set(parent, way);
    return way + layer.slice(end);
  };
}
