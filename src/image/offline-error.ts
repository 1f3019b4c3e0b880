import { ToolError } from '../errors.ts';
import { formatPlatform, platformMatches } from '../oci/platform.ts';
import type { Platform } from '../oci/platform.ts';
import { familiarReference, formatReference, parseReference, withDefaultTag } from '../oci/reference.ts';
import type { Reference } from '../oci/reference.ts';
import type { ImageRecord } from '../store/image-record.ts';
import type { Engine } from './engine.ts';
import { imageDamage } from './image-damage.ts';
import { readIntactImage } from './local-image.ts';

const MAX_LISTED = 10; // names of the same repository

/**
 * Why an image is not pulled in offline mode, and what the store has instead of it. Needs nothing of the network.
 * Throws ERR_REFERENCE if `name` is none.
 */
export async function offlineError(engine: Engine, name: string, platform?: Platform): Promise<ToolError> {
  const reference = withDefaultTag(parseReference(name));
  const records = await engine.store.images.list();
  const exact = records.find((record) => record.name === formatReference(reference));
  const found = exact === undefined ? cachedNames(records, reference) : await describeCached(engine, exact, platform);
  const message = `Cannot pull "${familiarReference(reference)}": offline mode is on, and ${found}`;
  return new ToolError('ERR_OFFLINE', message, {
    hint: 'To pull it, leave out --offline, and unset MYDOCKER_OFFLINE.',
  });
}

async function describeCached(engine: Engine, record: ImageRecord, platform?: Platform): Promise<string> {
  if (platform !== undefined && !platformMatches(record.platform, platform)) {
    return `the store has it for ${formatPlatform(record.platform)} only`;
  }
  const image = await readIntactImage(engine.store, record.manifest);
  if (image === undefined || imageDamage(engine.store, image) !== undefined) {
    return 'what the store has of it is not complete';
  }
  return `the store has that image already, with the digest ${record.target.digest}`;
}

/** What else there is of the same repository. */
function cachedNames(records: readonly ImageRecord[], { registry, repository }: Reference): string {
  const names = records
    .flatMap(({ name }) => (name === undefined ? [] : [parseReference(name)]))
    .filter((other) => other.registry === registry && other.repository === repository)
    .map(familiarReference)
    .sort();
  if (names.length === 0) return 'the store has no image of that name';
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  return `the store has of that name: ${names.slice(0, MAX_LISTED).join(', ')}${more}`;
}
