import type { Descriptor } from '../oci/descriptor.ts';
import type { RemoteRepository } from './repository.ts';
import type { Setbacks } from './retry.ts';
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
  signal?: AbortSignal | undefined;
  /** Bytes that the sink holds, of `descriptor.size`. */
  onProgress?: ((bytes: number) => void) | undefined;
  /** An attempt failed; the next one is in so many seconds. */
  onRetry?: ((seconds: number) => void) | undefined;
}

/**
 * Downloads a blob from where the sink ends, and resumes it when the connection breaks. On success the sink holds
 * exactly `descriptor.size` bytes: whether they are the right ones is for the caller to find out. On failure it holds
 * what came, which can be resumed, unless the error is an IntegrityError.
 * Throws what RemoteRepository.openBlob throws, once attempts that gain nothing are used up, and what the sink throws.
 */
export async function downloadBlob(options: DownloadOptions): Promise<void> {
  const { descriptor, sink, repository, onProgress, onRetry, signal } = options;
  const pausing = { ...repository.retrying, signal, action: `download "${descriptor.digest}"` };
  if (sink.offset > descriptor.size) await sink.reset();
  onProgress?.(sink.offset);
  let setbacks: Setbacks = { failures: 0, waitedMs: 0 };
  let gained = sink.offset; // the furthest that was reached when setbacks were last forgotten
  while (sink.offset < descriptor.size) {
    try {
      await receive(options);
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

async function receive({ repository, descriptor, sink, signal, onProgress }: DownloadOptions): Promise<void> {
  const { offset, body } = await repository.openBlob(descriptor, sink.offset, signal);
  if (offset !== sink.offset) await sink.reset();
  for await (const chunk of body) {
    await sink.write(chunk);
    onProgress?.(sink.offset);
  }
}
