import type { RunnableImage } from '../image/runnable-image.ts';
import type { ContainerOptions } from './container-options.ts';
import type { ContainerRecord } from './container-record.ts';
import { signalOfImage } from './parse-signal.ts';

type Made = Pick<ContainerRecord, 'id' | 'name' | 'controlGroups' | 'ports'> & { command: readonly string[] };

/** What is recorded of a container before it runs. */
export function newRecord(
  { image, options }: { image: RunnableImage; options: ContainerOptions },
  { command, ...made }: Made,
): ContainerRecord {
  return {
    version: 1,
    ...made,
    image: image.name,
    imageId: image.imageId,
    manifest: image.manifest,
    layers: image.layerFolders.map((folder) => folder.slice(folder.lastIndexOf('/') + 1)),
    command: [...command],
    created: new Date().toISOString(),
    autoRemove: options.autoRemove ?? false,
    labels: { ...image.config.config.labels, ...options.labels },
    stopSignal: options.stopSignal ?? signalOfImage(image.config.config.stopSignal),
    stopTimeout: options.stopTimeout,
  };
}
