import { ToolError } from '../errors.ts';
import { hostPlatform, platformMatches } from '../oci/platform.ts';
import type { Platform } from '../oci/platform.ts';
import { familiarReference, parseReference, withDefaultTag } from '../oci/reference.ts';
import { createRegistryClient } from '../registry/client.ts';
import type { Engine } from './engine.ts';
import { imageDamage, sizeProblem } from './image-damage.ts';
import { recordUse } from './last-use.ts';
import { readIntactImage } from './local-image.ts';
import type { PulledImage } from './pull-event.ts';
import { pulled, readRecord, type PullJob, type PullOptions } from './pull-job.ts';

/**
 * Brings an image into the store: resolves the tag to a digest, copies manifest, config and layers (each verified),
 * unpacks the layers that are not cached, and sets the name last, so that a name never points at missing content.
 */
export async function pullImage(engine: Engine, name: string, options: PullOptions = {}): Promise<PulledImage> {
  const reference = withDefaultTag(parseReference(name));
  const { signal } = options;
  const client = createRegistryClient(options.registry ?? {});
  try {
    const job = { engine, reference, options, repository: client.repository(reference) };
    options.onProgress?.({ kind: 'resolving', reference });
    // What follows is loaded only where something has changed.
    const result = (await findUpToDate(job)) ?? (await (await import('./pull-afresh.ts')).pullAfresh(job));
    options.onProgress?.({ kind: 'done', result });
    return result;
  } catch (error) {
    if (signal?.aborted === true)
      throw new ToolError('ERR_ABORTED', `Cannot pull "${familiarReference(reference)}": interrupted`, {
        cause: error,
      });
    throw error;
  } finally {
    await client.close();
  }
}

function matchesWanted(platform: Platform, wanted: Platform | undefined): boolean {
  return platformMatches(platform, wanted ?? hostPlatform(process.arch));
}

/** The cached image, if the registry's tag still names it and nothing of it is missing; costs one request, none for a digest. */
async function findUpToDate(job: PullJob): Promise<PulledImage | undefined> {
  const { engine, reference, repository, options } = job;
  const record = await readRecord(job);
  if (record === undefined || !matchesWanted(record.platform, options.platform)) return undefined;
  const image = await readIntactImage(engine.store, record.manifest);
  if (image === undefined || imageDamage(engine.store, image) !== undefined) return undefined;
  if (sizeProblem(engine.store.blobs.path(record.target.digest), record.target.size) !== undefined) return undefined;
  if (reference.digest === undefined) {
    // A hint, trusted only to say that nothing has changed: the worst that a lie can do is to keep what is here.
    const current = await repository.headManifest(reference.tag ?? 'latest', { signal: options.signal });
    if (current !== record.target.digest) return undefined;
  }
  recordUse(engine.store, record.manifest);
  return pulled(reference, record, true);
}
