import { closeSync, constants, openSync } from 'node:fs';

import { throwIfAborted } from '../fs/abort.ts';
import { diskError } from '../fs/disk-error.ts';
import type { Ownership } from '../linux/ownership.ts';
import { printable } from '../printable.ts';
import { toText } from './entry-path.ts';
import { reviveFailure } from './failure.ts';
import { startUnpackChild, unexpectedEnd } from './start-unpack-child.ts';
import type { ChildMessage, VerifyJob } from './unpack-job.ts';

export interface VerifyOptions {
  /** What the layer is called in messages. */
  label: string;
  /** The root of the layer. */
  folder: string;
  /** Its tree manifest, as unpackLayer wrote it. */
  manifestPath: string;
  /** With which the layer was unpacked. */
  ownership: Ownership;
  runnerFolder: string;
  signal?: AbortSignal | undefined;
  /** The bundle of unpack-child.ts, unless it is in its usual place. */
  childPath?: string | undefined;
}

const MAX_DIFFERENCES = 100;

/**
 * Compares an unpacked layer with its tree manifest: every path, attribute and byte of content. Answers the differences as lines
 * for people, `<path>: <clause>`, at most 100; none means that the layer is as it was unpacked. Changes nothing.
 * @throws {ToolError} ERR_STORE_DAMAGED for a manifest that cannot be used, ERR_STORE, ERR_HOST or ERR_ABORTED
 */
export async function verifyLayer(options: VerifyOptions): Promise<string[]> {
  const { label, signal, ownership, runnerFolder } = options;
  const task = `verify layer "${printable(label)}"`;
  throwIfAborted(signal, task);
  const manifest = open(options.manifestPath);
  const differences: string[] = [];
  const last: { message?: ChildMessage } = {};
  const onMessage = (message: ChildMessage): void => {
    last.message = message;
    if (message.kind !== 'difference' || differences.length >= MAX_DIFFERENCES) return;
    differences.push(`${printable(toText(message.path))}: ${printable(message.difference)}`);
  };
  try {
    const child = startUnpackChild({
      job: jobOf(options),
      task,
      manifest,
      ownership,
      runnerFolder,
      path: options.childPath,
      onMessage,
    });
    const abort = (): void => child.kill();
    signal?.addEventListener('abort', abort);
    const end = await child.ended.finally(() => signal?.removeEventListener('abort', abort));
    throwIfAborted(signal, task);
    if (last.message?.kind === 'failure') throw reviveFailure(last.message.failure);
    if (last.message?.kind !== 'verified') throw unexpectedEnd(end, task);
    return differences;
  } finally {
    closeSync(manifest);
  }
}

function jobOf({ label, folder, ownership }: VerifyOptions): VerifyJob {
  const job = { kind: 'verify' as const, label, folder, comparesOwners: ownership.kind !== 'single' };
  return ownership.kind === 'root' ? { ...job, parent: process.pid } : job;
}

function open(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    throw diskError(error, 'read', path);
  }
}
