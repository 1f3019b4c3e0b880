import os from 'node:os';
import util from 'node:util';

import { LayerError, ToolError } from '../errors.ts';
import { diskError, hasErrno, isNoSpace } from '../fs/disk-error.ts';
import { printable } from '../printable.ts';
import type { EntryId } from './entry-id.ts';
import { toText } from './entry-path.ts';
import type { TarProgress } from './read-archive.ts';
import { Refusal } from './refusal.ts';

export interface FailurePlace extends TarProgress {
  /** What the layer is called. */
  label: string;
}

/**
 * The error for people of what stopped the unpacking of a layer: what is the archive's fault is a LayerError, what is the disk's
 * ERR_NO_SPACE or ERR_STORE. A ToolError, and what is nobody's fault but ours, is handed back as it is.
 */
export function explainFailure(error: unknown, place: FailurePlace): unknown {
  if (error instanceof ToolError || !(error instanceof Error)) return error;
  if (isNoSpace(error) || hasErrno(error, ...HOST_PROBLEMS)) return diskError(error, 'unpack layer', place.label);
  if (error instanceof Refusal) return refusalError(error, place);
  const text = systemErrorText(error);
  return text === undefined ? error : refusalError(new Refusal(text, { cause: error }), place);
}

/** The same for the comparison of a tree with its manifest: a damaged manifest, or a disk that cannot be read. */
export function explainVerifyFailure(error: unknown, label: string): unknown {
  if (!(error instanceof Refusal)) return diskError(error, 'verify layer', label);
  return new ToolError(error.code, `Cannot verify layer "${label}": ${error.message}`, { cause: error });
}

/** Not the archive's fault. All other system errors are: names that are too long, links to folders, and so on. */
const HOST_PROBLEMS = ['EIO', 'EROFS', 'EMFILE', 'ENFILE', 'ENOMEM', 'ESTALE'];

function refusalError(refusal: Refusal, place: FailurePlace): ToolError {
  const { index, name } = refusal.entry ?? entryAt(place);
  const reason = printable(refusal.message, Infinity);
  const shown = name === undefined ? '' : `, "${printable(toText(name))}"`;
  const at = index === undefined ? '' : `entry ${index}${shown}: `;
  const message = `Cannot unpack layer "${place.label}": ${at}${reason}`;
  const options = { cause: refusal.cause ?? refusal, ...(refusal.hint === undefined ? {} : { hint: refusal.hint }) };
  if (refusal.code !== 'ERR_LAYER') return new ToolError(refusal.code, message, options);
  const entry = name === undefined ? {} : { entry: name };
  return new LayerError(message, { reason, ...entry, ...(index === undefined ? {} : { index }) }, options);
}

function entryAt({ isInEntry, entries, entryName }: TarProgress): Partial<EntryId> {
  if (!isInEntry) return {};
  return { index: entries - 1, ...(entryName === undefined ? {} : { name: entryName }) };
}

function systemErrorText(error: Error): string | undefined {
  if (!('errno' in error) || typeof error.errno !== 'number') return undefined;
  const number = Math.abs(error.errno);
  const text = util.getSystemErrorMap().get(-number)?.[1];
  const name = Object.entries(os.constants.errno).find(([, value]) => value === number)?.[0];
  return `${text ?? 'the system refuses it'} (${name ?? number})`;
}
