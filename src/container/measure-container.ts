import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { throwIfAborted } from '../fs/abort.ts';
import type { Engine } from '../image/engine.ts';
import { spawnMapped } from '../linux/spawn-mapped.ts';
import { WRITTEN, containerSize } from './container-size.ts';
import type { ContainerSize } from './container-size.ts';

/**
 * As `containerSize`, also where a container has folders that its user may not look into, of subordinate ids for one: it is then
 * measured inside the user namespace, in blocks.
 */
export async function measureContainer(engine: Engine, id: string, signal?: AbortSignal): Promise<ContainerSize> {
  const folder = join(engine.store.paths.containers, id);
  const size = await containerSize(folder, signal);
  if (!size.incomplete) return size;
  const trees = WRITTEN.map((name) => join(folder, name)).filter((tree) => existsSync(tree));
  const bytes = await measureInside(engine, trees, signal).catch(() => undefined); // a size is not worth failing for
  throwIfAborted(signal, 'measure containers');
  return bytes === undefined ? size : { bytes, incomplete: false };
}

/** Where Linux distributions keep it. */
const DU_PATHS = ['/usr/bin/du', '/bin/du'];

/** Undefined if there is no answer for each of the trees. */
async function measureInside(
  { store, host }: Engine,
  trees: readonly string[],
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const du = DU_PATHS.find((path) => existsSync(path));
  if (du === undefined) return undefined;
  const { child, exited } = spawnMapped({
    command: [du, '-s', '-k', ...trees],
    ownership: host.ownership,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {},
    runnerFolder: store.paths.runner,
    signal,
  });
  const output = child.stdout === null ? '' : await text(child.stdout);
  const { code } = await exited;
  const sizes = [...output.matchAll(/^(\d+)\t/gm)];
  if (code !== 0 || sizes.length !== trees.length) return undefined;
  let kibibytes = 0;
  for (const [, count] of sizes) kibibytes += Number(count);
  return kibibytes * 1024;
}
