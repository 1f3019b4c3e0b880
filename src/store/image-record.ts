import { isToolError } from '../errors.ts';
import { parseDescriptor, type Descriptor } from '../oci/descriptor.ts';
import { digestOf, parseDigest, type Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import { unreadable, type IndexEntry } from './index-file.ts';

/** What a name in the store stands for, or an image that has lost its last name. */
export interface ImageRecord {
  /** Canonical: `docker.io/library/alpine:latest`, or `docker.io/library/alpine@sha256:…`. Undefined without a name: dangling. */
  name: string | undefined;
  /** What the tag names: an index, or a manifest. */
  target: Descriptor;
  /** The manifest for `platform`; the target itself unless that is an index. */
  manifest: Digest;
  /** The config of that manifest. */
  imageId: Digest;
  platform: Platform;
  /** As the config has it, RFC 3339. */
  created: string | undefined;
  /** Of all layers unpacked, in bytes. */
  sizeBytes: number;
  /** Not to be removed, by its name or otherwise. Told by `get` and `list`, changed by `protect` alone: `set` does not look at it. */
  protected?: boolean | undefined;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys */
const NAME = 'org.opencontainers.image.ref.name';
// What a list of images shows stands in the entry itself, so that listing reads one file.
const MANIFEST = 'dev.mydocker.manifest';
const CONFIG = 'dev.mydocker.config';
const CREATED = 'dev.mydocker.created';
const SIZE = 'dev.mydocker.size';
const PROTECTED = 'dev.mydocker.protected';
/** A digest of all the rest, so that no flipped bit goes unnoticed; entries of the first version have none. */
const CHECK = 'dev.mydocker.check';
const OWN: ReadonlySet<string> = new Set([NAME, MANIFEST, CONFIG, CREATED, SIZE, PROTECTED, CHECK]);

/** The name of an entry, whoever wrote it. */
export function entryName({ annotations }: IndexEntry): string | undefined {
  return annotations.get(NAME);
}

/** Whether this engine wrote the entry. What other tools have put into the layout is kept, and is no image of ours. */
export function isOwnEntry({ annotations }: IndexEntry): boolean {
  return annotations.has(MANIFEST);
}

/** The manifest that an entry of ours stands for, unchecked: for comparing. */
export function manifestOf({ annotations }: IndexEntry): string | undefined {
  return annotations.get(MANIFEST);
}

/** Whether the entry must not be removed. */
export function isProtectedEntry(entry: IndexEntry): boolean {
  return isOwnEntry(entry) && entry.annotations.has(PROTECTED);
}

/** The same entry, protected or not. Throws ERR_STORE_DAMAGED for one that cannot be read. */
export function withProtection(entry: IndexEntry, isProtected: boolean): IndexEntry {
  const where = entryName(entry) ?? manifestOf(entry) ?? '';
  const record = parseRecord(entry, where);
  if (!isUnchanged(entry, record)) throw unreadable(where, 'it is not what was written'); // a new seal would hide that
  const changed = new Map(entry.annotations);
  if (changed.has(CHECK)) changed.set(CHECK, checkOf({ ...record, protected: isProtected }));
  changed.delete(PROTECTED);
  if (isProtected) changed.set(PROTECTED, 'true');
  return { value: { ...entry.value, annotations: Object.fromEntries(changed) }, annotations: changed };
}

/** Equal for two records, or a record and an entry of ours, that give the same name to the same image. */
export function recordKey({ name, manifest }: Pick<ImageRecord, 'name' | 'manifest'>): string {
  return `${manifest} ${name ?? ''}`;
}

export function entryKey({ annotations }: IndexEntry): string {
  return `${annotations.get(MANIFEST) ?? ''} ${annotations.get(NAME) ?? ''}`;
}

/** Reads an entry of ours. `where` names it in the error. Throws ERR_STORE_DAMAGED. */
export function parseRecord(entry: IndexEntry, where: string): ImageRecord {
  try {
    const { platform, ...target } = parseTarget(entry, where);
    const { annotations } = entry;
    const name = annotations.get(NAME);
    const manifest = annotations.get(MANIFEST);
    const config = annotations.get(CONFIG);
    if (name === '') throw unreadable(where, 'its image name is empty');
    if (manifest === undefined || config === undefined || platform === undefined) {
      throw unreadable(where, 'it lacks manifest, config or platform');
    }
    return {
      name,
      target,
      manifest: parseDigest(manifest),
      imageId: parseDigest(config),
      platform,
      created: annotations.get(CREATED),
      sizeBytes: parseSize(annotations.get(SIZE), where),
      ...(annotations.has(PROTECTED) ? { protected: true } : {}),
    };
  } catch (error) {
    if (isToolError(error, 'ERR_MANIFEST', 'ERR_DIGEST')) throw unreadable(where, error.message, error);
    throw error;
  }
}

/** The descriptor, with such annotations as others have given to it, and in most entries there are none. */
function parseTarget({ value }: IndexEntry, where: string): Descriptor {
  const { annotations = {}, ...descriptor } = value;
  const others = Object.entries(annotations as object).filter(
    ([key, text]) => !OWN.has(key) || typeof text !== 'string', // which is refused
  );
  return parseDescriptor(
    others.length === 0 ? descriptor : { ...descriptor, annotations: Object.fromEntries(others) },
    where,
  );
}

function parseSize(text: string | undefined, where: string): number {
  const size = Number(text);
  if (text === undefined || !Number.isSafeInteger(size) || size < 0)
    throw unreadable(where, 'its size is not a number');
  return size;
}

/** The entry for a record, unprotected. Annotations that others gave to the same content under this name stay. */
export function encodeRecord(record: ImageRecord, previous: IndexEntry | undefined): IndexEntry {
  const { mediaType, digest, size, artifactType, annotations: own } = record.target;
  const kept = previous?.value['digest'] === digest ? [...previous.annotations] : [];
  const annotations = new Map([
    ...kept,
    ...Object.entries(own ?? {}),
    [MANIFEST, record.manifest],
    [CONFIG, record.imageId],
    [SIZE, String(record.sizeBytes)],
    [CHECK, checkOf({ ...record, protected: false })],
  ]);
  annotations.delete(PROTECTED);
  annotations.delete(CREATED);
  if (record.created !== undefined) annotations.set(CREATED, record.created);
  annotations.delete(NAME);
  if (record.name !== undefined) annotations.set(NAME, record.name);
  const value = {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    platform: encodePlatform(record.platform),
    annotations: Object.fromEntries(annotations),
  };
  return { value, annotations };
}

/**
 * Whether an entry is what was written when it was given its name. `record` is what it says now. Another tool may have added
 * annotations, but not changed a thing that this engine goes by.
 */
export function isUnchanged({ annotations }: IndexEntry, record: ImageRecord): boolean {
  const check = checkOf(record);
  const written = annotations.get(CHECK);
  if (written !== undefined) return written === check;
  return ![...annotations.values()].includes(check); // else it is the name of the annotation that has changed
}

function checkOf(record: ImageRecord): Digest {
  const { name, target, manifest, imageId, platform, created, sizeBytes } = record;
  const { mediaType, digest, size, artifactType = '' } = target;
  const { os, architecture, variant = '', osVersion = '' } = platform;
  const texts = [name ?? '', mediaType, digest, artifactType, manifest, imageId, created ?? ''];
  const fields = [...texts, os, architecture, variant, osVersion, size, sizeBytes];
  if (record.protected === true) fields.push('protected');
  return digestOf(Buffer.from(JSON.stringify(fields)));
}

function encodePlatform({ os, architecture, variant, osVersion }: Platform): Record<string, string> {
  return {
    architecture,
    os,
    ...(osVersion === undefined ? {} : { 'os.version': osVersion }),
    ...(variant === undefined ? {} : { variant }),
  };
}
