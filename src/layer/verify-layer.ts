import { closeSync, constants, openSync } from 'node:fs';

import { throwIfAborted } from '../fs/abort.ts';
import { diskError } from '../fs/disk-error.ts';
import { printable } from '../printable.ts';
import { toText } from './entry-path.ts';
import { reviveFailure } from './failure.ts';
import { unexpectedEnd } from './start-unpack-child.ts';
import type { UnpackChildren } from './unpack-children.ts';
import type { NewsMessage, VerifyJob } from './unpack-job.ts';

export interface VerifyOptions {
  /** What the layer is called in messages. */
  label: string;
  /** The root of the layer. */
  folder: string;
  /** Its tree manifest, as unpackLayer wrote it. */
  manifestPath: string;
  /** Do the work; with the ownership that the layer was unpacked with. */
  children: UnpackChildren;
  signal?: AbortSignal | undefined;
}

const MAX_DIFFERENCES = 100;

/**
 * Compares an unpacked layer with its tree manifest: every path, attribute and byte of content. Answers the differences as lines
 * for people, `<path>: <clause>`, at most 100; none means that the layer is as it was unpacked. Changes nothing.
 * @throws {ToolError} ERR_STORE_DAMAGED for a manifest that cannot be used, ERR_STORE, ERR_HOST or ERR_ABORTED
 */
export async function verifyLayer(options: VerifyOptions): Promise<string[]> {
  const { label, signal, children } = options;
  const task = `verify layer "${printable(label)}"`;
  throwIfAborted(signal, task);
  checkReadable(options.manifestPath);
  const differences: string[] = [];
  const onNews = (message: NewsMessage): void => {
    if (message.kind !== 'difference' || differences.length >= MAX_DIFFERENCES) return;
    differences.push(`${printable(toText(message.path))}: ${printable(message.difference)}`);
  };
  const running = children.begin(jobOf(options), { task, onNews });
  const abort = (): void => running.kill();
  signal?.addEventListener('abort', abort);
  const end = await running.ended.finally(() => signal?.removeEventListener('abort', abort));
  throwIfAborted(signal, task);
  if (end.message === undefined) throw unexpectedEnd(end.end, task);
  if (end.message.kind === 'failure') throw reviveFailure(end.message.failure);
  return differences;
}

function jobOf({ label, folder, manifestPath, children: { ownership } }: VerifyOptions): VerifyJob {
  return { kind: 'verify', label, folder, manifestPath, comparesOwners: ownership.kind !== 'single' };
}

function checkReadable(path: string): void {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW));
  } catch (error) {
    throw diskError(error, 'read', path);
  }
}
