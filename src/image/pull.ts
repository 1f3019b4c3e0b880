import { parsePlatform } from '../oci/platform.ts';
import { openEngine } from './engine.ts';
import type { EngineOptions } from './engine.ts';
import type { RegistryOptions } from '../registry/client.ts';
import { offlineError } from './offline-error.ts';
import type { PulledImage, PullEvent } from './pull-event.ts';

export interface PullOptions extends EngineOptions {
  /** `os/architecture[/variant]`; the machine's own unless given. */
  platform?: string | undefined;
  /** Layers downloaded at a time; 3 unless given. */
  maxConcurrentDownloads?: number | undefined;
  /** How to talk to registries: logins, certificates, proxies, hosts without TLS. A function is asked when it comes to that. */
  registry?: RegistryOptions | (() => Promise<RegistryOptions>) | undefined;
  /** Do not use the network; not even what it needs is loaded. A pull fails then, and tells what the store has. */
  offline?: boolean | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((event: PullEvent) => void) | undefined;
}

/**
 * Brings an image into the store: `alpine`, `ghcr.io/owner/name:tag`, `name@sha256:…`.
 * @throws {ToolError} ERR_REFERENCE, ERR_AUTH, ERR_REGISTRY, ERR_NETWORK, ERR_MANIFEST, ERR_UNSUPPORTED, ERR_PLATFORM,
 * ERR_INTEGRITY, ERR_LAYER, ERR_LIMIT, ERR_STORE, ERR_NO_SPACE, ERR_OFFLINE, ERR_ABORTED
 */
export async function pull(reference: string, options: PullOptions = {}): Promise<PulledImage> {
  const { registry, offline = false } = options;
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  const engine = await openEngine(options);
  if (offline) throw await offlineError(engine, reference, platform);
  const { pullImage } = await import('./pull-image.ts'); // undici takes longer to load than a container to start
  return pullImage(engine, reference, {
    ...options,
    platform,
    registry: typeof registry === 'function' ? await registry() : registry,
  });
}
