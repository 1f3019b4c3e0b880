import type { Digest } from './digest.ts';
import { digestProblem, isDigest } from './digest.ts';
import type { JsonObject } from './fields.ts';
import {
  arrayField,
  asObject,
  field,
  objectField,
  showValue,
  stringField,
  stringMapField,
  stringsField,
  textField,
} from './fields.ts';
import { malformed, parseJson } from './json.ts';
import type { ImageManifest } from './manifest.ts';

/** An image config. Everything in it but `diffIds` is only type-checked: paths, users and names are as the image has them. */
export interface ImageConfig {
  os: string; // 'linux' where the image does not say
  architecture: string; // '' where the image does not say
  variant?: string | undefined;
  created?: string | undefined; // RFC 3339; left out when it is none
  author?: string | undefined;
  config: ContainerConfig;
  diffIds: Digest[]; // of the uncompressed layers, bottom first
  history: HistoryEntry[];
}

/** How the image wants to be run. No string holds a NUL; `env` is `NAME=value` throughout. */
export interface ContainerConfig {
  user: string;
  env: string[];
  entrypoint: string[];
  cmd: string[];
  workingDir: string;
  labels: Record<string, string>;
  exposedPorts: string[];
  volumes: string[];
  stopSignal?: string | undefined;
  shell?: string[] | undefined;
}

/** How a layer, or with `emptyLayer` only the config, came about. */
export interface HistoryEntry {
  created?: string | undefined;
  createdBy?: string | undefined;
  author?: string | undefined;
  comment?: string | undefined;
  emptyLayer: boolean;
}

const SUBJECT = 'image config';

/**
 * Reads an image config. Environment entries that are not `NAME=value` are left out; anything of another type than the
 * specification has is ERR_MANIFEST.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const document = asObject(parseJson(bytes, SUBJECT), SUBJECT);
  const variant = textField(document, 'variant', SUBJECT);
  const author = textField(document, 'author', SUBJECT);
  return {
    os: textField(document, 'os', SUBJECT) ?? 'linux',
    architecture: stringField(document, 'architecture', SUBJECT) ?? '',
    ...(variant && { variant }),
    ...parseCreated(document),
    ...(author && { author }),
    config: parseContainerConfig(objectField(document, 'config', SUBJECT) ?? {}),
    diffIds: parseDiffIds(document),
    history: parseHistory(document),
  };
}

/** Throws ERR_MANIFEST unless the manifest has a layer for every diff ID. */
export function checkLayersMatch(manifest: ImageManifest, config: ImageConfig): void {
  const { length: layers } = manifest.layers;
  const { length: diffIds } = config.diffIds;
  if (layers === diffIds) return;
  throw malformed(SUBJECT, `it has ${diffIds} diff IDs, but the manifest has ${layers} layers`);
}

function parseDiffIds(document: JsonObject): Digest[] {
  const rootfs = objectField(document, 'rootfs', SUBJECT);
  if (rootfs === undefined) throw malformed(SUBJECT, 'rootfs is missing: this is not the config of a container image');
  const where = `${SUBJECT} rootfs`;
  const type = stringField(rootfs, 'type', where);
  if (type !== 'layers') throw malformed(where, `type is ${showValue(type)}, "layers" was wanted`);
  return (stringsField(rootfs, 'diff_ids', where) ?? []).map((text, index) => {
    if (isDigest(text)) return text;
    throw malformed(where, `diff_ids[${index}]: ${digestProblem(text)}`);
  });
}

function parseContainerConfig(object: JsonObject): ContainerConfig {
  const where = `${SUBJECT} config`;
  const stopSignal = stringWithoutNul(object, 'StopSignal', where);
  const shell = stringsWithoutNul(object, 'Shell', where);
  return {
    user: stringWithoutNul(object, 'User', where),
    env: (stringsField(object, 'Env', where) ?? []).filter(isEnvironmentEntry),
    entrypoint: stringsWithoutNul(object, 'Entrypoint', where),
    cmd: stringsWithoutNul(object, 'Cmd', where),
    workingDir: stringWithoutNul(object, 'WorkingDir', where),
    labels: stringMapField(object, 'Labels', where),
    exposedPorts: keysWithoutNul(object, 'ExposedPorts', where),
    volumes: keysWithoutNul(object, 'Volumes', where),
    ...(stopSignal !== '' && { stopSignal }),
    ...(shell.length > 0 && { shell }),
  };
}

/** An entry without "=" would, in some engines, take the value from the host's environment. */
function isEnvironmentEntry(entry: string): boolean {
  return !entry.includes('\0') && entry.indexOf('=') > 0;
}

function parseHistory(document: JsonObject): HistoryEntry[] {
  return (arrayField(document, 'history', SUBJECT) ?? []).map((value, index) => {
    const where = `${SUBJECT} history[${index}]`;
    const entry = asObject(value, where);
    const createdBy = textField(entry, 'created_by', where);
    const author = textField(entry, 'author', where);
    const comment = textField(entry, 'comment', where);
    return {
      ...parseCreated(entry),
      ...(createdBy && { createdBy }),
      ...(author && { author }),
      ...(comment && { comment }),
      emptyLayer: field(entry, 'empty_layer') === true,
    };
  });
}

/** For display only, so what is no date is dropped. */
function parseCreated(object: JsonObject): { created?: string } {
  const created = field(object, 'created');
  if (typeof created !== 'string') return {};
  const isDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(created);
  return isDate && !Number.isNaN(Date.parse(created)) ? { created } : {};
}

function stringWithoutNul(object: JsonObject, key: string, where: string): string {
  return withoutNul(stringField(object, key, where) ?? '', key, where);
}

function stringsWithoutNul(object: JsonObject, key: string, where: string): string[] {
  return (stringsField(object, key, where) ?? []).map((value, index) => withoutNul(value, `${key}[${index}]`, where));
}

/** Go's `map[string]struct{}`: a set, written as an object of empty objects. */
function keysWithoutNul(object: JsonObject, key: string, where: string): string[] {
  return Object.keys(objectField(object, key, where) ?? {}).map((name) => withoutNul(name, key, where));
}

/** The kernel would cut it there, so that what runs is not what was checked or shown. */
function withoutNul(value: string, name: string, where: string): string {
  if (value.includes('\0')) throw malformed(where, `${name} contains a NUL character`);
  return value;
}
