import { deserialize, serialize } from 'node:v8';
import type { RunnableImage } from '../../image/runnable-image.ts';
import type { TerminalSize } from '../../linux/pseudo-terminal.ts';
import type { ContainerOptions } from '../container-options.ts';

/** What a supervisor is asked for: plain data. */
export interface SupervisorJob {
  /** The store's folder, absolute, as is every path in here. */
  home: string;
  image: RunnableImage;
  options: Omit<ContainerOptions, 'terminal'>;
  /** Of the owner's terminal. */
  size: TerminalSize;
}

/** Both processes are of one build, so this is no format that lasts. Throws where something is no plain data. */
export function encodeJob(job: SupervisorJob): Uint8Array {
  return serialize(job);
}

export function decodeJob(bytes: Uint8Array): SupervisorJob {
  return deserialize(bytes) as SupervisorJob;
}
