import { parsePlatform } from '../oci/platform.ts';
import { openEngine } from './engine.ts';
import type { EngineOptions } from './engine.ts';
import type { RegistryOptions } from '../registry/client.ts';
import { pullImage } from './pull-image.ts';
import type { PulledImage, PullEvent } from './pull-event.ts';

export interface PullOptions extends EngineOptions {
  /** `os/architecture[/variant]`; the machine's own unless given. */
  platform?: string | undefined;
  /** Layers downloaded at a time; 3 unless given. */
  maxConcurrentDownloads?: number | undefined;
  /** How to talk to registries: logins, certificates, proxies, hosts without TLS. A function is asked when it comes to that. */
  registry?: RegistryOptions | (() => Promise<RegistryOptions>) | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((event: PullEvent) => void) | undefined;
}

/**
 * Brings an image into the store: `alpine`, `ghcr.io/owner/name:tag`, `name@sha256:…`.
 * @throws {ToolError} ERR_REFERENCE, ERR_AUTH, ERR_REGISTRY, ERR_NETWORK, ERR_MANIFEST, ERR_UNSUPPORTED, ERR_PLATFORM,
 * ERR_INTEGRITY, ERR_LAYER, ERR_LIMIT, ERR_STORE, ERR_NO_SPACE, ERR_ABORTED
 */
export async function pull(reference: string, options: PullOptions = {}): Promise<PulledImage> {
  const { platform, registry } = options;
  return pullImage(await openEngine(options), reference, {
    ...options,
    platform: platform === undefined ? undefined : parsePlatform(platform),
    registry: typeof registry === 'function' ? await registry() : registry,
  });
}
