import fs from 'node:fs/promises';

import type { ToolError } from '../errors.ts';
import { withDiskErrors } from '../fs/disk-error.ts';
import { damaged } from './damaged.ts';

/** `index.json`, the index of an OCI image layout. What is not understood is carried along. */
export interface IndexFile {
  /** All of the document but its entries. */
  rest: Readonly<Record<string, unknown>>;
  entries: readonly IndexEntry[];
}

/** A descriptor, unchecked but for its annotations. */
export interface IndexEntry {
  value: Readonly<Record<string, unknown>>;
  annotations: ReadonlyMap<string, string>;
}

/** Throws ERR_STORE_DAMAGED, for a missing file too: without it garbage collection would take everything for unused. */
export async function readIndexFile(path: string): Promise<IndexFile> {
  const bytes = await withDiskErrors('read', path, async () => readIfThere(path));
  if (bytes === undefined) throw unreadable(path, 'it is not there');
  const document = parse(bytes, path);
  if (!isObject(document) || document['schemaVersion'] !== 2) throw unreadable(path, 'it is not an OCI image index');
  const { manifests, ...rest } = document;
  if (!Array.isArray(manifests)) throw unreadable(path, 'it has no list of manifests');
  return { rest, entries: manifests.map((entry: unknown, at) => parseEntry(entry, `${path} manifests[${at}]`)) };
}

export function encodeIndexFile({ rest, entries }: IndexFile): Buffer {
  return Buffer.from(JSON.stringify({ ...rest, manifests: entries.map(({ value }) => value) }));
}

/** Where names that cannot be read stand. */
export function unreadable(where: string, problem: string, cause?: unknown): ToolError {
  const hint =
    'Restore it from a backup, or save what can be saved of it: mydocker verify --repair. An image that loses its name by that ' +
    'gets it back when it is pulled again; nothing is downloaded twice.';
  return damaged(where, problem, { hint, cause });
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await fs.readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

// Not the parser for manifests: ten thousand images make more than its 4 MiB, and this file is no registry's.
function parse(bytes: Buffer, path: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw unreadable(path, 'it is not JSON', cause);
  }
}

/** Reads one of `manifests`. Throws ERR_STORE_DAMAGED for what is no entry at all. */
export function parseEntry(entry: unknown, where: string): IndexEntry {
  if (!isObject(entry)) throw unreadable(where, 'it is not an object');
  const { annotations = {} } = entry;
  if (!isObject(annotations)) throw unreadable(where, 'its annotations are not an object');
  const texts = Object.entries(annotations).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  return { value: entry, annotations: new Map(texts) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
