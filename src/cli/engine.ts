import type { EngineApi } from './engine-api.ts';

/** The engine behind the commands. Each operation loads what it needs when it is called. */
export function createEngine(): EngineApi {
  return {
    pull: async (reference, request) => (await import('./engine/pull.ts')).pull(reference, request),
    images: async (request) => (await import('./engine/images.ts')).images(request),
    imageLabels: async (image, request) => (await import('./engine/images.ts')).labels(image, request),
    removeImage: async (nameOrId, request) => (await import('./engine/remove-image.ts')).remove(nameOrId, request),
    tag: async (source, target, request) => (await import('../image/tag.ts')).tag(source, target, request),
    protect: async (nameOrId, request) => (await import('../image/protect.ts')).protect(nameOrId, request),
    unprotect: async (nameOrId, request) => (await import('../image/protect.ts')).unprotect(nameOrId, request),
    partialDownloads: async (request) => (await import('../image/partial-downloads.ts')).partialDownloads(request),
    removePartialDownload: async (imageOrDigest, request) =>
      (await import('../image/partial-downloads.ts')).removePartialDownload(imageOrDigest, request),
    run: async (image, { terminal, ...request }) =>
      request.interactive && terminal !== undefined
        ? (await import('./engine/run-detachable.ts')).runDetachable(image, { ...request, terminal })
        : (await import('./engine/run.ts')).run(image, { ...request, terminal }),
    attach: async (container, request) => (await import('./engine/attach.ts')).attach(container, request),
    containers: async (request) => (await import('./engine/containers.ts')).containers(request),
    pruneImages: async (request) => (await import('./engine/prune.ts')).images(request),
    pruneContainers: async (request) => (await import('./engine/prune.ts')).containers(request),
    diskUsage: async (request) => (await import('./engine/disk-usage.ts')).diskUsage(request),
    stopContainer: async (nameOrId, request) => (await import('./engine/containers.ts')).stop(nameOrId, request),
    killContainer: async (nameOrId, request) => (await import('./engine/containers.ts')).kill(nameOrId, request),
    removeContainer: async (nameOrId, request) => (await import('./engine/containers.ts')).remove(nameOrId, request),
    login: async (server, request) => (await import('./engine/login.ts')).login(server, request),
    storedLogin: async (server, request) => (await import('./engine/login.ts')).stored(server, request),
    logout: async (server, request) => (await import('./engine/logout.ts')).logout(server, request),
    verify: async (request) => (await import('./engine/verify.ts')).verify(request),
    examineHost: async (request) => (await import('./engine/examine-host.ts')).examineHost(request),
  };
}
