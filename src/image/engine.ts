import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { removeOwnedTree } from '../fs/remove-owned-tree.ts';
import { readHostFacts } from '../linux/host-facts.ts';
import type { HostFacts } from '../linux/host-facts.ts';
import type { Ownership } from '../linux/ownership.ts';
import { openStore } from '../store/open-store.ts';
import type { Store } from '../store/open-store.ts';

/** What every operation works on: one store, on this machine, as this user. */
export interface Engine {
  store: Store;
  host: HostFacts;
  /** With whose ids layers are unpacked: those of the layers that are there already. */
  layerOwnership: Ownership;
  /** Removes a folder of the store, whoever owns what is in it. */
  removeFolder: (path: string) => Promise<void>;
}

export interface EngineOptions {
  /** The store's folder; `~/.mydocker` unless given. */
  home?: string | undefined;
}

/**
 * Opens the store, and makes it if it is not there; with `readOnly` it has to be, and nothing of it is changed.
 * @throws {ToolError} ERR_STORE if it belongs to somebody else, is open to others, or was written by a newer version
 */
export async function openEngine(
  options: EngineOptions = {},
  { readOnly = false }: { readOnly?: boolean } = {},
): Promise<Engine> {
  const host = readHostFacts();
  const store = await openStore(storeFolder(options), {
    ownership: host.ownership,
    mappingObstacle: host.mappingObstacle,
    readOnly,
  });
  const { uid, gid } = host;
  return {
    host,
    store,
    layerOwnership: store.format.ownership === 'single' ? { kind: 'single', uid, gid } : host.ownership,
    removeFolder: async (path) =>
      removeOwnedTree(path, { ownership: host.ownership, runnerFolder: store.paths.runner }),
  };
}

/** Absolute. */
export function storeFolder({ home }: EngineOptions): string {
  return resolve(home ?? join(homedir(), '.mydocker'));
}
