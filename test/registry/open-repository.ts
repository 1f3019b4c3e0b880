import { onTestFinished } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import type { RegistryClient, RegistryOptions } from '../../src/registry/client.ts';
import { createRegistryClient } from '../../src/registry/client.ts';
import type { BlobSink } from '../../src/registry/download-blob.ts';
import type { RemoteRepository } from '../../src/registry/repository.ts';
import type { InstantTiming, TestRegistry, TestRegistryOptions } from '../support/registry/index.ts';
import { RATE_WINDOW, instantTiming, startRegistry } from '../support/registry/index.ts';

export interface Setup {
  registry: TestRegistry;
  client: RegistryClient;
  repository: RemoteRepository;
  timing: InstantTiming;
}

/** A registry, and a client whose waits are over at once, with its repository `app/web`. Both end with the test. */
export async function openRepository(
  options: TestRegistryOptions = {},
  clientOptions: RegistryOptions = {},
): Promise<Setup> {
  const registry = await startTestRegistry(options);
  const { client, timing } = openClient(clientOptions);
  return { registry, client, timing, repository: client.repository(parseReference(`${registry.host}/${NAME}`)) };
}

export const NAME = 'app/web';

export async function startTestRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const registry = await startRegistry(options);
  onTestFinished(async () => registry.close());
  return registry;
}

export function openClient(options: RegistryOptions = {}): { client: RegistryClient; timing: InstantTiming } {
  const timing = instantTiming();
  const client = createRegistryClient({ timing, ...options, timeouts: { ...INSTANT_RATE, ...options.timeouts } });
  onTestFinished(async () => client.close());
  return { client, timing };
}

/** Timeouts that fit a clock on which every wait is over at once. */
export const INSTANT_RATE: NonNullable<RegistryOptions['timeouts']> = {
  rate: { windowMs: RATE_WINDOW, bytesPerSecond: 1 },
};

export interface MemorySink extends BlobSink {
  readonly bytes: Buffer;
  /** How often it was emptied. */
  readonly resets: number;
}

export function memorySink(start: Uint8Array = new Uint8Array()): MemorySink {
  let bytes = Buffer.from(start);
  let resets = 0;
  return {
    get bytes() {
      return bytes;
    },
    get offset() {
      return bytes.byteLength;
    },
    get resets() {
      return resets;
    },
    async write(chunk) {
      bytes = Buffer.concat([bytes, chunk]);
    },
    async reset() {
      bytes = Buffer.alloc(0);
      resets += 1;
    },
  };
}
