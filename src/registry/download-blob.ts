import type { Descriptor } from '../oci/descriptor.ts';
import { isToolError } from '../errors.ts';
import { askInTurn } from './fail-over.ts';
import type { RegistryHost } from './registry-hosts.ts';
import type { RemoteRepository } from './repository.ts';
import type { Retrying, Setbacks } from './retry.ts';
import { adviceOf, nextDelay, pause } from './retry.ts';

/** An attempt that got less than this (bytes) counts as one that got nothing: else a server could feed us for years. */
const PROGRESS = 64 * 1024;

/** Where a blob goes. Bytes are appended; what is in it is neither hashed nor checked here. */
export interface BlobSink {
  /** Bytes it holds. */
  readonly offset: number;
  /** Resolves when the next chunk may come. `chunk` is not used again. */
  write(chunk: Uint8Array): Promise<void>;
  /** Empties it. */
  reset(): Promise<void>;
}

export interface DownloadOptions {
  repository: RemoteRepository;
  descriptor: Descriptor;
  /** May hold the start of the blob from an earlier try. */
  sink: BlobSink;
  /** Hosts that are not to be asked for this blob. */
  avoid?: ReadonlySet<RegistryHost> | undefined;
  signal?: AbortSignal | undefined;
  /** Bytes that the sink holds, of `descriptor.size`. */
  onProgress?: ((bytes: number) => void) | undefined;
  /** An attempt failed; the next one is in so many seconds. */
  onRetry?: ((seconds: number) => void) | undefined;
}

/**
 * Downloads a blob from where the sink ends, and resumes it when the connection breaks: at the same host, and at the next
 * one when that is of no use. On success the sink holds exactly `descriptor.size` bytes: whether they are the right ones
 * is for the caller to find out. On failure it holds what came, which can be resumed, unless the error is an
 * IntegrityError. Returns the hosts that were asked: the bytes are theirs.
 * Throws what RemoteRepository.openBlob throws, once attempts that gain nothing are used up, and what the sink throws.
 */
export async function downloadBlob(options: DownloadOptions): Promise<ReadonlySet<RegistryHost>> {
  const { descriptor, sink, repository, avoid, onProgress } = options;
  const asked = new Set<RegistryHost>();
  if (sink.offset > descriptor.size) await sink.reset();
  onProgress?.(sink.offset);
  if (sink.offset === descriptor.size) return asked;
  const hosts = (await repository.blobHosts()).filter((host) => avoid?.has(host) !== true);
  await askInTurn(hosts, async (host, retrying) => {
    const before = sink.offset;
    asked.add(host);
    try {
      await downloadFrom(host, options, retrying);
    } catch (error) {
      // Too many or too few bytes: those that did come are not to be trusted either.
      if (isToolError(error, 'ERR_INTEGRITY') && sink.offset !== before) await sink.reset();
      throw error;
    }
  });
  return asked;
}

async function downloadFrom(host: RegistryHost, options: DownloadOptions, retrying: Retrying): Promise<void> {
  const { descriptor, sink, onRetry, signal } = options;
  const pausing = { ...retrying, signal, action: `download "${descriptor.digest}"` };
  let setbacks: Setbacks = { failures: 0, waitedMs: 0 };
  let gained = sink.offset; // the furthest that was reached when setbacks were last forgotten
  while (sink.offset < descriptor.size) {
    try {
      await receive(host, options);
    } catch (error) {
      // All bytes came, only the end of the answer did not.
      if (sink.offset === descriptor.size && adviceOf(error).retry !== 'never') return;
      if (sink.offset - gained >= PROGRESS) {
        gained = sink.offset;
        setbacks = { failures: 0, waitedMs: 0 };
      }
      const delayMs = nextDelay(error, setbacks, pausing);
      if (delayMs === undefined) throw error;
      if (delayMs > 0) onRetry?.(Math.ceil(delayMs / 1000));
      await pause(delayMs, pausing);
    }
  }
}

async function receive(host: RegistryHost, options: DownloadOptions): Promise<void> {
  const { repository, descriptor, sink, signal, onProgress } = options;
  const { offset, body } = await repository.openBlob(host, { descriptor, offset: sink.offset, signal });
  if (offset !== sink.offset) await sink.reset();
  for await (const chunk of body) {
    await sink.write(chunk);
    onProgress?.(sink.offset);
  }
}
