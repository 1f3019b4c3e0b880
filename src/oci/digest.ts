import { hash } from 'node:crypto';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';

declare const brand: unique symbol;

/** A checked content digest, `<algorithm>:<lower-case hex>`: safe as a path component on both sides of the colon. */
export type Digest = string & { readonly [brand]: 'Digest' };

export type DigestAlgorithm = 'sha256' | 'sha512';

const HEX_LENGTHS: ReadonlyMap<string, number> = new Map<DigestAlgorithm, number>([
  ['sha256', 64],
  ['sha512', 128],
]);
const MAX_SHOWN = 80; // characters in a message; a sha256 digest has 71
const SHORT_LENGTH = 12; // hex digits that `docker images` and `docker pull` show

/** Checks a digest from outside. Throws ERR_DIGEST. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new ToolError(
    'ERR_DIGEST',
    `Cannot parse digest "${printable(text, MAX_SHOWN)}": ${digestProblem(text) ?? 'malformed'}`,
  );
}

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** What `digestProblem` finds nothing wrong with, in one step: a listing asks 10,000 times. */
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** What keeps `text` from being a digest, as the end of a sentence; undefined when it is one. */
export function digestProblem(text: string): string | undefined {
  const colon = text.indexOf(':');
  if (colon === -1) return 'digest has no ":", <algorithm>:<hex> was wanted';
  const algorithm = text.slice(0, colon);
  const wantedLength = HEX_LENGTHS.get(algorithm);
  if (wantedLength === undefined) {
    return `unsupported digest algorithm "${printable(algorithm, MAX_SHOWN)}", sha256 or sha512 was wanted`;
  }
  const hex = text.slice(colon + 1);
  if (/[^0-9a-f]/.test(hex)) return 'invalid digest, only lower-case hexadecimal digits may follow the ":"';
  if (hex.length === wantedLength) return undefined;
  return `invalid digest, it has ${hex.length} hexadecimal digits and ${algorithm} has ${wantedLength}`;
}

/** The digest that a file is named after by its hexadecimal digits alone: their number tells the algorithm. */
export function digestFromHex(hex: string): Digest | undefined {
  const digests = [...HEX_LENGTHS.keys()].map((algorithm) => `${algorithm}:${hex}`);
  return digests.find(isDigest);
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${hash(algorithm, bytes, 'hex')}` as Digest;
}

/** The first 12 hexadecimal digits, as listings show them. */
export function shortDigest(digest: Digest): string {
  return digestHex(digest).slice(0, SHORT_LENGTH);
}
