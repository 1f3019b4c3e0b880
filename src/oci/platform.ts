import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { isImageConfigMediaType, isIndexMediaType, isManifestMediaType } from './media-types.ts';

/** Names of Go's GOOS and GOARCH, as in an index. `variant` such as `v7`. */
export interface Platform {
  os: string;
  architecture: string;
  variant?: string | undefined;
  osVersion?: string | undefined;
}

/** What of a descriptor in an index decides whether it is chosen; descriptor.ts builds on this file. */
interface IndexEntry {
  mediaType: string;
  platform?: Platform | undefined;
  annotations?: Record<string, string> | undefined;
  artifactType?: string | undefined;
}

// Aliases that `docker --platform` takes, and what they mean (containerd/platforms, database.go).
const ALIASES: ReadonlyMap<string, { architecture: string; variant?: string }> = new Map([
  ['x86_64', { architecture: 'amd64' }],
  ['x86-64', { architecture: 'amd64' }],
  ['i386', { architecture: '386' }],
  ['i686', { architecture: '386' }],
  ['aarch64', { architecture: 'arm64' }],
  ['armhf', { architecture: 'arm', variant: 'v7' }],
  ['armel', { architecture: 'arm', variant: 'v6' }],
]);

// The variant that goes without saying.
const BASE_VARIANTS: ReadonlyMap<string, string> = new Map([
  ['amd64', 'v1'],
  ['arm64', 'v8'],
]);

const NODE_ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ['x64', 'amd64'],
  ['ia32', '386'],
  ['ppc64', 'ppc64le'], // Node on Linux exists for the little-endian one only
  ['mipsel', 'mipsle'],
]);

const OPERATING_SYSTEMS: ReadonlySet<string> = new Set(['linux', 'windows', 'darwin', 'freebsd']);

/** Reads `os/architecture[/variant]` or an architecture alone, which means Linux. Throws ERR_USAGE. */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/');
  if (parts.length > 3 || !parts.every((part) => /^[a-z0-9_.-]+$/.test(part))) {
    throw invalidPlatform(text, 'os/architecture[/variant], such as linux/arm64, was wanted');
  }
  const [first = '', second, variant] = parts;
  if (second !== undefined) return normalizePlatform({ os: first, architecture: second, ...(variant && { variant }) });
  if (OPERATING_SYSTEMS.has(first)) throw invalidPlatform(text, `it names no architecture, such as ${first}/amd64`);
  return normalizePlatform({ os: 'linux', architecture: first });
}

/** `os/architecture[/variant]`, safe to print whatever an image says. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return printable(variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`);
}

/** The platform of a Linux machine on which Node calls the architecture `nodeArch` (`process.arch`). */
export function hostPlatform(nodeArch: string): Platform {
  return normalizePlatform({ os: 'linux', architecture: NODE_ARCHITECTURES.get(nodeArch) ?? nodeArch });
}

/** Whether a machine that is `wanted` can run what was built for `offered`. */
export function platformMatches(offered: Platform, wanted: Platform): boolean {
  const name = formatPlatform(normalizePlatform(offered));
  return runnable(wanted).includes(name);
}

/**
 * The entry of an index to use on `wanted`: of the best variant that it can run, the first. An entry without a platform is
 * taken only when it is the single one. Attestations and what is no manifest are passed over.
 */
export function choosePlatform<Entry extends IndexEntry>(
  entries: readonly Entry[],
  wanted: Platform,
): Entry | undefined {
  const images = entries.filter(isImage);
  for (const name of runnable(wanted)) {
    const found = images.find(({ platform }) => platform && formatPlatform(normalizePlatform(platform)) === name);
    if (found !== undefined) return found;
  }
  const [single] = images;
  return images.length === 1 && single?.platform === undefined ? single : undefined;
}

/** What BuildKit puts into an index beside the images: https://docs.docker.com/build/metadata/attestations/attestation-storage/ */
function isAttestation({ annotations, platform }: IndexEntry): boolean {
  if (annotations?.['vnd.docker.reference.type'] === 'attestation-manifest') return true;
  return platform?.os === 'unknown' && platform.architecture === 'unknown';
}

function isImage(entry: IndexEntry): boolean {
  const { mediaType, artifactType } = entry;
  if (isAttestation(entry)) return false;
  if (artifactType !== undefined && !isImageConfigMediaType(artifactType, mediaType)) return false;
  return isManifestMediaType(mediaType) || isIndexMediaType(mediaType);
}

/** Formatted platforms, best first: lower variants, then the 32-bit architecture of the same family, as containerd has it. */
function runnable(wanted: Platform): string[] {
  const { os, architecture, variant } = normalizePlatform(wanted);
  const base = `${os}/${architecture}`;
  const exact = variant === undefined ? base : `${base}/${variant}`;
  const level = Number(/^v(\d)$/.exec(variant ?? '')?.[1] ?? 0);
  switch (architecture) {
    case 'amd64':
      return [exact, ...variantsDown(base, level - 1, 2), base, `${os}/386`];
    case 'arm64':
      return [exact, base, ...variantsDown(`${os}/arm`, 8, 5)];
    case 'arm':
      return [exact, ...variantsDown(base, level - 1, 5)];
    default:
      return [exact];
  }
}

/** `base/v<from>` down to `base/v<to>`. */
function variantsDown(base: string, from: number, to: number): string[] {
  return Array.from({ length: Math.max(0, from - to + 1) }, (_, index) => `${base}/v${from - index}`);
}

function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const name = platform.architecture.toLowerCase();
  const alias = ALIASES.get(name);
  const architecture = alias?.architecture ?? name;
  const { osVersion } = platform;
  const variant = normalizeVariant(architecture, alias?.variant ?? platform.variant?.toLowerCase());
  return { os, architecture, ...(variant && { variant }), ...(osVersion && { osVersion }) };
}

function normalizeVariant(architecture: string, variant: string | undefined): string | undefined {
  if (variant === undefined) return architecture === 'arm' ? 'v7' : undefined;
  const written = /^[0-9]/.test(variant) ? `v${variant}` : variant;
  const short = written.endsWith('.0') ? written.slice(0, -2) : written;
  return short === BASE_VARIANTS.get(architecture) ? undefined : short;
}

function invalidPlatform(text: string, problem: string): ToolError {
  return new ToolError('ERR_USAGE', `Cannot parse platform "${printable(text)}": ${problem}`);
}
