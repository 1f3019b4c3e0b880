import type { ContainerStatus, ContainerSummary } from '../../../src/container/list-containers.ts';
import { NOW } from './fake-context.ts';
import { digest } from './images.ts';

export interface ContainerTraits {
  /** Hexadecimal digit that repeats, as `imageId`. */
  id?: string;
  image?: string;
  imageId?: string;
  status?: ContainerStatus;
  exitCode?: number;
  command?: string[];
  labels?: Record<string, string>;
  /** Minutes. */
  age?: number;
}

/** A container of the store; one that has ended did so half way through its age. */
export function container(name: string, traits: ContainerTraits = {}): ContainerSummary {
  const { id = 'a', image = 'alpine', imageId = 'e', status = 'running', command = ['sh'], age = 10 } = traits;
  const created = new Date(NOW - age * 60_000);
  return {
    id: id.repeat(64),
    status,
    since: created,
    exitCode: traits.exitCode,
    finished: status === 'exited' ? new Date(NOW - age * 30_000).toISOString() : undefined,
    record: {
      version: 1,
      id: id.repeat(64),
      name,
      image,
      imageId: digest(imageId),
      manifest: digest(imageId),
      layers: [],
      command,
      created: created.toISOString(),
      autoRemove: false,
      labels: traits.labels,
    },
  };
}
