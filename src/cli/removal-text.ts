import type { PrunedContainers } from '../container/prune-containers.ts';
import type { PruneReport } from '../container/prune-images.ts';
import { humanSize } from '../human-size.ts';

/** Images that were removed, or would be, under docker's headline or another; nothing if there are none. */
export function removedImages({ removed }: PruneReport, headline: string = 'Deleted Images:'): string {
  const lines = removed.map((event) =>
    event.kind === 'untagged' ? `untagged: ${event.reference}` : `deleted: ${event.digest}`,
  );
  return paragraph(headline, lines);
}

export function removedContainers({ removed }: PrunedContainers): string {
  return paragraph('Deleted Containers:', removed);
}

/** The last line. */
export function totalSpace(bytes: number, what: string = 'reclaimed'): string {
  return `Total ${what} space: ${humanSize(bytes, 4)}\n`;
}

/** With a blank line behind it. */
function paragraph(headline: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${[headline, ...lines].join('\n')}\n\n`;
}
