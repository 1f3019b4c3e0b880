import type { ImageSummary } from '../../../src/image/list-images.ts';
import { parseDigest } from '../../../src/oci/digest.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { familiarName, formatReference, parseReference } from '../../../src/oci/reference.ts';
import { NOW } from './fake-context.ts';

export function digest(hex: string): Digest {
  return parseDigest(`sha256:${hex.repeat(64)}`);
}

/** An entry of a store. `id` and `digest` are hexadecimal digits that repeat; `age` is in hours. */
export function image(
  name: string | undefined,
  {
    id = 'a',
    digest: of = '1',
    age = 1,
    size = 7_377_000,
    protected: isProtected = false,
  }: { id?: string; digest?: string; age?: number; size?: number; protected?: boolean } = {},
): ImageSummary {
  const reference = name === undefined ? undefined : parseReference(name);
  return {
    id: digest(id),
    name: reference && formatReference(reference),
    repository: reference && familiarName(reference),
    tag: reference?.tag,
    digest: digest(of),
    manifestDigest: digest(of),
    created: new Date(NOW - age * 3_600_000),
    sizeBytes: size,
    platform: { os: 'linux', architecture: 'amd64' },
    dangling: name === undefined,
    protected: isProtected,
  };
}
