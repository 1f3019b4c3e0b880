import { existsSync } from 'node:fs';
import { openEngine, storeFolder } from '../image/engine.ts';
import type { EngineOptions } from '../image/engine.ts';
import type { Finding } from '../image/verify/finding.ts';
import { verifyStore } from '../image/verify/verify-store.ts';
import type { VerifyReport } from '../image/verify/verify-store.ts';
import { readHostFacts } from '../linux/host-facts.ts';
import type { RegistryOptions } from '../registry/client.ts';
import { restoreFormat } from '../store/restore-format.ts';
import { isLocked, listContainers } from './list-containers.ts';

export interface VerifyOptions extends EngineOptions {
  /** Name or ID of the only image to look at; the whole store unless given. */
  image?: string | undefined;
  /** Compare every file in every layer with what was unpacked, too. */
  deep?: boolean | undefined;
  /** Download and unpack again what is damaged, and nothing else. Names and containers stay as they are. */
  repair?: boolean | undefined;
  /** For `repair`: as for a pull. */
  registry?: RegistryOptions | (() => Promise<RegistryOptions>) | undefined;
  signal?: AbortSignal | undefined;
  /** Called with each finding at once, after its repair. */
  onFinding?: ((finding: Finding) => void) | undefined;
}

/**
 * Compares what is in the store with what it should be; works on one that is read-only, or in use. What it finds it does not throw.
 * @throws {ToolError} ERR_NO_SUCH_IMAGE, ERR_USAGE, ERR_STORE, ERR_ABORTED; ERR_STORE_DAMAGED for a store that cannot be opened;
 * with `repair` ERR_NO_SPACE as well
 */
export async function verify(options: VerifyOptions = {}): Promise<VerifyReport> {
  const { image, deep, repair = false, registry, signal, onFinding } = options;
  const root = storeFolder(options);
  const restoredFormat = repair ? await restoreFormat(root, readHostFacts().ownership.kind) : undefined;
  // A store that is not there is made, as by any command: nothing is wrong with it.
  const engine = await openEngine({ home: root }, { readOnly: !repair && existsSync(root) });
  const runningOn = (layer: string): string | undefined => findUser(engine.store.paths.containers, layer);
  return verifyStore(engine, {
    image,
    deep,
    repair: repair ? { registry, runningOn } : undefined,
    restoredFormat,
    signal,
    onFinding,
  });
}

/** Asks for the lock alone: a container that has it may be about to mount its layers. One without a record may use any. */
function findUser(containers: string, layer: string): string | undefined {
  return listContainers(containers).find(
    ({ id, record }) => record?.layers.includes(layer) !== false && isLocked(containers, id) === true,
  )?.id;
}
