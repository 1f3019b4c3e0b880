import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Digest } from './digest.ts';
import { digestProblem, isDigest } from './digest.ts';
import { hostProblem } from './registry-host.ts';

/** A checked image reference. `registry` is `host[:port]`, and `docker.io` for Docker Hub; `repository` is the path below it. */
export interface Reference {
  registry: string;
  repository: string;
  tag?: string | undefined;
  digest?: Digest | undefined;
}

const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_LEGACY = 'index.docker.io';
const OFFICIAL = 'library/';
const MAX_REPOSITORY_LENGTH = 255; // characters, as in distribution/reference; the registry does not count
const MAX_TAG_LENGTH = 128; // characters
const MAX_QUOTED = 40; // characters of a wrong part in a message, so that the reason is not cut off

/**
 * Reads what a user types, `[host[:port]/]path[:tag][@digest]`, and fills in what Docker fills in: `alpine` is
 * `docker.io/library/alpine`. No tag is added. Throws ERR_REFERENCE.
 *
 * The grammar is that of https://github.com/distribution/reference (reference.go, normalize.go), except that hosts and
 * ports must also be valid in a URL, and of digests only sha256 and sha512 are known.
 */
export function parseReference(text: string): Reference {
  const misuse = misuseProblem(text);
  if (misuse !== undefined) throw invalid(text, misuse);
  const { head: name, tail: digest } = cut(text, '@');
  const { registry, rest } = splitRegistry(name);
  const { head: path, tail: tag } = cut(rest, ':');
  const repository = registry === DOCKER_HUB && !path.includes('/') ? `${OFFICIAL}${path}` : path;
  const problem = hostProblem(registry) ?? pathProblem(path, repository) ?? tagProblem(tag) ?? badDigest(digest);
  if (problem !== undefined) throw invalid(text, problem);
  return {
    registry,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && isDigest(digest) && { digest }),
  };
}

/** The same, with the tag `latest` where neither a tag nor a digest says which image is meant. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;
}

/** Canonical and unambiguous: `docker.io/library/alpine:latest`. */
export function formatReference(reference: Reference): string {
  return `${reference.registry}/${reference.repository}${formatSuffix(reference)}`;
}

/** The shortest name that means the same repository: `alpine` for `docker.io/library/alpine`. */
export function familiarName(reference: Reference): string {
  const { registry, repository } = reference;
  if (registry !== DOCKER_HUB) return `${registry}/${repository}`;
  const short = repository.startsWith(OFFICIAL) ? repository.slice(OFFICIAL.length) : repository;
  const familiar = short.includes('/') ? repository : short;
  // `docker.io/ghcr.io/tool` must not be shown as `ghcr.io/tool`, which is another repository.
  const ambiguous = isImageId(familiar) || splitRegistry(familiar).registry !== DOCKER_HUB;
  return ambiguous ? `${registry}/${repository}` : familiar;
}

/** The familiar name with its tag and digest: `alpine:3.19`, `alpine@sha256:…`. */
export function familiarReference(reference: Reference): string {
  return `${familiarName(reference)}${formatSuffix(reference)}`;
}

function formatSuffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** Input that is not a reference with a mistake in it, but something else. */
function misuseProblem(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (/\s/.test(text)) return 'it contains white space';
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0];
  if (scheme !== undefined) return `it starts with "${printable(scheme, MAX_QUOTED)}", a reference has no scheme`;
  if (isImageId(text)) return '64 hexadecimal digits are an image ID, a repository name was wanted';
  return undefined;
}

function isImageId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** At the first separator; `tail` is undefined when there is none. */
function cut(text: string, separator: string): { head: string; tail: string | undefined } {
  const at = text.indexOf(separator);
  return at === -1 ? { head: text, tail: undefined } : { head: text.slice(0, at), tail: text.slice(at + 1) };
}

/** What stands before the first slash is a registry when no namespace of Docker Hub can look so. */
function splitRegistry(name: string): { registry: string; rest: string } {
  const { head, tail } = cut(name, '/');
  const isHost = head === 'localhost' || /[.:]/.test(head) || head !== head.toLowerCase();
  if (tail === undefined || !isHost) return { registry: DOCKER_HUB, rest: name };
  return { registry: head === DOCKER_HUB_LEGACY ? DOCKER_HUB : head, rest: tail };
}

function pathProblem(path: string, repository: string): string | undefined {
  if (path === '') return 'repository name is missing';
  if (path !== path.toLowerCase()) return 'repository name must be lowercase';
  const character = /[^a-z0-9._/-]/u.exec(path)?.[0];
  if (character !== undefined) {
    return `repository name contains "${character}", only a-z, 0-9, ".", "_", "-" and "/" are allowed`;
  }
  for (const component of path.split('/')) {
    if (component === '') return 'repository name has an empty part, next to a "/"';
    const wrong = (problem: string): string => `repository name part "${printable(component, MAX_QUOTED)}" ${problem}`;
    if (!/^[a-z0-9].*[a-z0-9]$|^[a-z0-9]$/.test(component)) {
      return wrong('must start and end with a letter or a digit');
    }
    const separator = component.split(/[a-z0-9]+/).find((between) => !/^(?:[._]|__|-*)$/.test(between));
    if (separator !== undefined) {
      return wrong(`contains "${printable(separator, MAX_QUOTED)}", "." "_" "__" or any number of "-" was wanted`);
    }
  }
  if (repository.length <= MAX_REPOSITORY_LENGTH) return undefined;
  return `repository name has ${repository.length} characters, ${MAX_REPOSITORY_LENGTH} are allowed`;
}

function tagProblem(tag: string | undefined): string | undefined {
  if (tag === undefined) return undefined;
  if (tag === '') return 'tag after ":" is empty';
  const character = /[^A-Za-z0-9_.-]/u.exec(tag)?.[0];
  if (character !== undefined) return `tag contains "${character}", only letters, digits, "_", "." and "-" are allowed`;
  if (/^[.-]/.test(tag)) return `tag starts with "${tag.charAt(0)}", a letter, a digit or "_" was wanted`;
  return tag.length > MAX_TAG_LENGTH ? `tag has ${tag.length} characters, ${MAX_TAG_LENGTH} are allowed` : undefined;
}

function badDigest(digest: string | undefined): string | undefined {
  if (digest === '') return 'digest after "@" is empty';
  return digest === undefined ? undefined : digestProblem(digest);
}

function invalid(text: string, problem: string): ToolError {
  return new ToolError(
    'ERR_REFERENCE',
    `Cannot parse image reference "${printable(text)}": invalid reference format: ${printable(problem)}`,
    {
      hint: 'A reference looks like alpine, alpine:3.19 or registry.example.com:5000/team/app@sha256:….',
    },
  );
}
