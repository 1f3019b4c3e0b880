import { randomBytes } from 'node:crypto';
import { lstatSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { ToolError, isToolError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { parseReference } from '../../oci/reference.ts';
import type { Reference } from '../../oci/reference.ts';
import { createRegistryClient } from '../../registry/client.ts';
import type { RegistryOptions } from '../../registry/client.ts';
import type { RemoteRepository } from '../../registry/repository.ts';
import type { Engine } from '../engine.ts';
import { fetchBlob } from '../fetch-blob.ts';
import type { BlobRole } from './finding.ts';

/** A blob of an image. `size` is not looked at for an index or a manifest. */
export interface BlobToFetch {
  descriptor: Descriptor;
  role: BlobRole;
  /** Canonical names of images that need it. */
  sources: readonly string[];
}

export interface RefetchOptions {
  registry: RegistryOptions | (() => Promise<RegistryOptions>) | undefined;
  signal: AbortSignal | undefined;
}

export interface Refetcher {
  /** Puts a blob in place of the damaged one, which stays until then. Throws the last error if no image's registry has it. */
  fetch(blob: BlobToFetch): Promise<void>;
  close(): Promise<void>;
}

/** Downloads single blobs by digest, whatever the tags of their images stand for by now. */
export async function createRefetcher(engine: Engine, { registry, signal }: RefetchOptions): Promise<Refetcher> {
  const client = createRegistryClient((typeof registry === 'function' ? await registry() : registry) ?? {});
  return {
    async fetch(blob) {
      clearPlace(engine, blob.descriptor);
      let failure: unknown = noName(blob.descriptor);
      for (const name of blob.sources) {
        try {
          const reference = parseReference(name);
          await fetchFrom({ repository: client.repository(reference), reference }, blob, { engine, signal });
          return;
        } catch (error) {
          if (signal?.aborted === true || !isToolError(error)) throw error;
          failure = error;
        }
      }
      throw failure;
    },
    close: async () => client.close(),
  };
}

async function fetchFrom(
  { repository, reference }: { repository: RemoteRepository; reference: Reference },
  { descriptor, role }: BlobToFetch,
  { engine, signal = new AbortController().signal }: { engine: Engine; signal: AbortSignal | undefined },
): Promise<void> {
  const { blobs } = engine.store;
  if (role === 'index' || role === 'manifest') {
    const document = await repository.getManifest(descriptor.digest, { signal });
    await blobs.put(document.descriptor, document.bytes);
  } else {
    await fetchBlob({ blobs, repository, descriptor, reference, signal, replace: true });
  }
}

/** Somebody has put a folder or a link where the blob belongs. */
function clearPlace({ store }: Engine, { digest }: Descriptor): void {
  const path = store.blobs.path(digest);
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.isFile()) return;
  renameSync(path, join(store.paths.trash, randomBytes(8).toString('hex')));
}

function noName({ digest }: Descriptor): ToolError {
  return new ToolError('ERR_STORE_DAMAGED', `Cannot download "${digest}": no image with a name needs it`);
}
