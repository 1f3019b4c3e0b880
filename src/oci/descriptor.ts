import type { Digest } from './digest.ts';
import { digestAlgorithm, digestOf, digestProblem, isDigest } from './digest.ts';
import type { JsonObject } from './fields.ts';
import {
  asObject,
  field,
  objectField,
  showValue,
  stringField,
  stringMapField,
  stringsField,
  textField,
} from './fields.ts';
import { malformed } from './json.ts';
import type { Platform } from './platform.ts';

/**
 * What a manifest or an index says about a blob. `size` in bytes; `data` is base64 and `urls` are unchecked:
 * both come from whoever made the image.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md
 */
export interface Descriptor {
  mediaType: string;
  digest: Digest;
  size: number;
  platform?: Platform | undefined;
  annotations?: Record<string, string> | undefined;
  artifactType?: string | undefined;
  urls?: string[] | undefined;
  data?: string | undefined;
}

/** Checks a descriptor from parsed JSON. `where` names it in errors, such as `manifest layers[2]`. Throws ERR_MANIFEST. */
export function parseDescriptor(value: unknown, where: string): Descriptor {
  const object = asObject(value, where);
  const mediaType = textField(object, 'mediaType', where);
  if (mediaType === undefined) throw malformed(where, 'mediaType is missing');
  const digest = parseDigestField(object, where);
  const size = parseSize(object, digest, where);
  return { mediaType, digest, size, ...parseOptional(object, where) };
}

function parseOptional(object: JsonObject, where: string): Omit<Descriptor, 'mediaType' | 'digest' | 'size'> {
  const platform = parsePlatformField(object, where);
  const annotations = field(object, 'annotations') === undefined ? {} : stringMapField(object, 'annotations', where);
  const artifactType = textField(object, 'artifactType', where);
  const urls = stringsField(object, 'urls', where);
  const data = stringField(object, 'data', where);
  return {
    ...(platform && { platform }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
    ...(artifactType && { artifactType }),
    ...(urls && { urls }),
    ...(data !== undefined && { data }),
  };
}

function parseDigestField(object: JsonObject, where: string): Digest {
  const text = stringField(object, 'digest', where);
  if (text === undefined) throw malformed(where, 'digest is missing');
  if (isDigest(text)) return text;
  throw malformed(where, `digest ${showValue(text)}: ${digestProblem(text)}`);
}

function parseSize(object: JsonObject, digest: Digest, where: string): number {
  const size = field(object, 'size');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw malformed(where, `size is ${showValue(size)}, a whole number of bytes from 0 was wanted`);
  }
  if (size === 0 && digest !== digestOf(new Uint8Array(), digestAlgorithm(digest))) {
    throw malformed(where, 'size is 0, but its digest is not that of no bytes');
  }
  return size;
}

/** Both names empty is what tools write that know no platform: the same as none. */
function parsePlatformField(object: JsonObject, where: string): Platform | undefined {
  const platform = objectField(object, 'platform', where);
  if (platform === undefined) return undefined;
  const inside = `${where} platform`;
  const os = stringField(platform, 'os', inside) ?? '';
  const architecture = stringField(platform, 'architecture', inside) ?? '';
  const variant = textField(platform, 'variant', inside);
  const osVersion = textField(platform, 'os.version', inside);
  if (os === '' && architecture === '') return undefined;
  return { os, architecture, ...(variant && { variant }), ...(osVersion && { osVersion }) };
}
