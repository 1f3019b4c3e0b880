/** https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md and Docker's image manifest version 2, schema 2. */
export const MEDIA_TYPES = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
} as const;

/** What a request for a manifest says that it can read. */
export const ACCEPT_MANIFESTS: readonly string[] = [
  MEDIA_TYPES.ociIndex,
  MEDIA_TYPES.ociManifest,
  MEDIA_TYPES.dockerIndex,
  MEDIA_TYPES.dockerManifest,
];

// What old registries put in place of a config's type in Docker's own manifests.
// https://github.com/distribution/distribution/issues/1621, https://github.com/moby/moby/issues/30083
const DOCKER_CONFIG_MISNOMERS: ReadonlySet<string> = new Set([
  'application/octet-stream',
  'application/json',
  'text/html',
]);

const LAYER =
  /^application\/vnd\.(?:oci\.image\.layer\.v1\.tar(?:\+gzip|\+zstd)?|docker\.image\.rootfs\.diff\.tar(?:\.gzip|\.zstd)?)$/;
const FOREIGN_LAYER =
  /^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.v1\.tar(?:\+gzip|\+zstd)?|docker\.image\.rootfs\.foreign\.diff\.tar(?:\.gzip|\.zstd)?)$/;
const SCHEMA_1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/;

export function isIndexMediaType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.ociIndex || mediaType === MEDIA_TYPES.dockerIndex;
}

export function isManifestMediaType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.ociManifest || mediaType === MEDIA_TYPES.dockerManifest;
}

/** Docker's first image format, which no registry should serve any more. */
export function isSchema1MediaType(mediaType: string): boolean {
  return SCHEMA_1.test(mediaType);
}

/** Whether a manifest of type `manifestType` with such a config is a container image; anything else is an artifact. */
export function isImageConfigMediaType(mediaType: string, manifestType: string): boolean {
  if (mediaType === MEDIA_TYPES.ociConfig || mediaType === MEDIA_TYPES.dockerConfig) return true;
  return manifestType === MEDIA_TYPES.dockerManifest && DOCKER_CONFIG_MISNOMERS.has(mediaType);
}

/** `undefined`: not a layer of a file system at all. */
export function layerKind(mediaType: string): 'layer' | 'foreign' | 'encrypted' | undefined {
  if (LAYER.test(mediaType)) return 'layer';
  if (FOREIGN_LAYER.test(mediaType)) return 'foreign';
  return mediaType.endsWith('+encrypted') ? 'encrypted' : undefined;
}
