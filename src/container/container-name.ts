import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ToolError } from '../errors.ts';
import { lockFile } from '../fs/kernel-lock.ts';
import { printable } from '../printable.ts';
import { NAMES_FOLDER } from './container-record.ts';

export interface NameRequest {
  /** The folder of all containers. */
  containers: string;
  /** Whose folder exists already. */
  id: string;
  /** A name of the caller's own; one is made up if there is none. */
  wanted?: string | undefined;
  /** Asked about the container that has the wanted name: deletes it if it is only left over, and answers whether it did. */
  reap?: ((id: string) => Promise<boolean>) | undefined;
  signal?: AbortSignal | undefined;
}

const ATTEMPTS = 20;

/**
 * Gives a container a name that no other one has, in any process. Docker's grammar and texts.
 * @throws {ToolError} ERR_CONFLICT for a name that is taken
 */
export async function reserveName(request: NameRequest): Promise<string> {
  const { containers, id, wanted } = request;
  mkdirSync(join(containers, NAMES_FOLDER), { recursive: true, mode: 0o700 });
  if (wanted !== undefined) {
    const holder = await claim(request, wanted);
    if (holder === undefined) return wanted;
    throw new ToolError(
      'ERR_CONFLICT',
      `Conflict. The container name "/${wanted}" is already in use by container "${holder}". ` +
        'You have to remove (or rename) that container to be able to reuse that name.',
    );
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const name = makeUpName(attempt);
    if ((await claim(request, name)) === undefined) return name;
  }
  await claim(request, id);
  return id;
}

/** Lets go of a name if it is this container's, whose folder still exists: until then nobody else takes the name away. */
export function releaseName(containers: string, id: string, name: string): void {
  if (holderOf(containers, name) === id) unlinkSync(linkOf(containers, name));
}

/** Frees the names of containers that have gone without them, as after a crash. */
export async function releaseAbandonedNames(containers: string): Promise<void> {
  for (const name of listNames(containers)) {
    const holder = holderOf(containers, name);
    if (holder !== undefined && !isThere(containers, holder)) {
      await removeStale({ containers, name, holder, signal: undefined });
    }
  }
}

/** The id of the container that has the name. */
export function holderOf(containers: string, name: string): string | undefined {
  if (!isContainerName(name)) return undefined;
  try {
    return readlinkSync(linkOf(containers, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** @throws {ToolError} ERR_USAGE, with docker's text */
export function checkName(name: string): void {
  if (isContainerName(name)) return;
  throw new ToolError(
    'ERR_USAGE',
    `Invalid container name (${printable(name)}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  );
}

const MAX_NAME = 200; // characters; a file name takes 255

function isContainerName(name: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name) && name.length <= MAX_NAME;
}

/** Undefined if the name is now this container's, else the id of the one that has it. */
async function claim({ containers, id, wanted, reap, signal }: NameRequest, name: string): Promise<string | undefined> {
  for (;;) {
    try {
      symlinkSync(id, linkOf(containers, name));
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = holderOf(containers, name);
    if (holder !== undefined && isThere(containers, holder)) {
      if (name !== wanted || (await reap?.(holder)) !== true) return holder;
      continue;
    }
    if (holder !== undefined) await removeStale({ containers, name, holder, signal });
  }
}

/** A name whose container has gone without it. One at a time: else the second to see it would remove the first one's new name. */
async function removeStale(stale: {
  containers: string;
  name: string;
  holder: string;
  signal: AbortSignal | undefined;
}): Promise<void> {
  const { containers, name, holder, signal } = stale;
  const path = join(containers, `${NAMES_FOLDER}.lock`);
  const lock = await lockFile(path, 'exclusive', { signal });
  try {
    if (holderOf(containers, name) === holder && !isThere(containers, holder)) unlinkSync(linkOf(containers, name));
  } finally {
    rmSync(path, { force: true }); // who holds it may: others notice
    lock.release();
  }
}

function isThere(containers: string, id: string): boolean {
  return existsSync(join(containers, id));
}

function listNames(containers: string): string[] {
  try {
    return readdirSync(join(containers, NAMES_FOLDER));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function linkOf(containers: string, name: string): string {
  return join(containers, NAMES_FOLDER, name);
}

function makeUpName(attempt: number): string {
  const name = `${pick(ADJECTIVES)}_${pick(NOUNS)}`;
  return attempt === 0 ? name : `${name}${randomInt(10 ** Math.min(attempt, 9))}`;
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? '';
}

const ADJECTIVES = (
  'able amber ample apt bold brave breezy bright brisk calm candid careful cheerful civil clear clever cosy crisp curious ' +
  'daring deft eager early easy fair fancy fast fine fond frank fresh gentle glad grand great happy hardy honest humble ' +
  'jolly keen kind lively loyal lucky mellow merry mild modest neat nimble noble patient placid plucky polite proud quick ' +
  'quiet rapid ready robust serene sharp shiny silent simple sleek smart smooth snug sober solid spry steady stoic sunny ' +
  'swift tender tidy trusty upbeat vivid warm wise witty zesty'
).split(' ');

const NOUNS = (
  'acorn anchor antler badger barge basil beacon birch bison breeze brook cedar cliff clover comet coral cove crane creek ' +
  'curlew delta dune ember falcon fern finch fjord flint fox garnet gecko glacier grove harbor hazel heron hill ibis iris ' +
  'island jay juniper kestrel kite lagoon lark lemur lichen lynx maple marsh meadow merlin mesa moss newt oak ocean orchid ' +
  'osprey otter owl pebble pine plover prairie quail quartz raven reef ridge river robin sage shore sparrow spruce stone ' +
  'swan thistle tide tulip valley walnut wave willow wren'
).split(' ');
