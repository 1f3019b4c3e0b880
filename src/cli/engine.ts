import type { EngineApi } from './engine-api.ts';

/** The engine behind the commands. Each operation loads what it needs when it is called. */
export function createEngine(): EngineApi {
  return {
    pull: async (reference, request) => (await import('./engine/pull.ts')).pull(reference, request),
    images: async (request) => (await import('./engine/images.ts')).images(request),
    imageLabels: async (image, request) => (await import('./engine/images.ts')).labels(image, request),
    removeImage: async (nameOrId, request) => (await import('./engine/remove-image.ts')).remove(nameOrId, request),
    run: async (image, request) => (await import('./engine/run.ts')).run(image, request),
    containers: async (request) => (await import('./engine/containers.ts')).containers(request),
    removeContainer: async (nameOrId, request) => (await import('./engine/containers.ts')).remove(nameOrId, request),
    verify: async (request) => (await import('./engine/verify.ts')).verify(request),
  };
}
