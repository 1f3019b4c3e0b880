import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Engine } from './engine.ts';
import { noSuchImage } from './find-image.ts';
import { recordUse } from './last-use.ts';
import { findRunnableImage } from './runnable-image.ts';
import type { FindRunnableOptions, RunnableImage } from './runnable-image.ts';

/** When a run asks the registry: each time, only for an image that is not cached, or not at all. */
export type PullPolicy = 'always' | 'missing' | 'never';

export interface ObtainImageOptions extends FindRunnableOptions {
  policy: PullPolicy;
  /** Brings the image into the store. The only way from here to the network. */
  pull(): Promise<unknown>;
  /** The image is not in the store, and is pulled next. */
  onMissing?: (() => void) | undefined;
}

/** The image to run, pulled before if need be. With `never`, or if it is cached, nothing of the network is even loaded. */
export async function obtainImage(engine: Engine, text: string, options: ObtainImageOptions): Promise<RunnableImage> {
  const { policy } = options;
  if (policy !== 'always') {
    const cached = await findRunnableImage(engine, text, options);
    if (cached !== undefined) {
      recordUse(engine.store, cached.manifest);
      return cached;
    }
    if (policy === 'never') throw noSuchImage(text);
    options.onMissing?.();
  }
  await options.pull();
  const pulled = await findRunnableImage(engine, text, options);
  if (pulled !== undefined) return pulled;
  throw new ToolError(
    'ERR_NO_SUCH_IMAGE',
    `Cannot run "${printable(text)}": it has been pulled, and removed again meanwhile`,
  );
}
