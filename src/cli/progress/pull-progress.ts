import type { PulledImage, PullEvent } from '../../image/pull-event.ts';
import { familiarReference, formatReference } from '../../oci/reference.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Output } from '../context.ts';
import { createLayerLines } from './layer-lines.ts';
import type { LayerLines } from './layer-lines.ts';

export interface PullProgress {
  onEvent: (event: PullEvent) => void;
  /** When the pull is over, however it ended. */
  stop: () => void;
}

/** Shows a pull as docker does: lines that are rewritten on a terminal, plain lines elsewhere. `now` is in milliseconds. */
export function createPullProgress(output: Output, now: () => number): PullProgress {
  const layers: LayerLines = createLayerLines(output, now);
  let unannounced: Reference | undefined;
  return {
    onEvent: (event) => {
      if (event.kind === 'resolving') {
        unannounced = event.reference;
        return;
      }
      // Only now is it known that the registry has the image.
      if (unannounced !== undefined) layers.print(`${announcement(unannounced)}\n`);
      unannounced = undefined;
      if (event.kind === 'layers') layers.expect(event.layers);
      else if (event.kind === 'layer') layers.update(event);
      else layers.print(summary(event.result));
    },
    stop: layers.stop,
  };
}

/** `latest: Pulling from library/debian`; by digest the whole reference is in the tag's place. */
function announcement(reference: Reference): string {
  const subject = reference.digest === undefined ? (reference.tag ?? 'latest') : formatReference(reference);
  return `${subject}: Pulling from ${reference.repository}`;
}

function summary({ digest, reference, upToDate }: PulledImage): string {
  const status = upToDate ? 'Image is up to date' : 'Downloaded newer image';
  return `Digest: ${digest}\nStatus: ${status} for ${familiarReference(reference)}\n`;
}
