import { printable } from '../printable.ts';
import type { Reach } from './address.ts';
import { mayRefer, reachOf } from './address.ts';
import { redactUrl } from './redact-url.ts';

/** The registry that refers somewhere: its origin, and how far inside it lies. */
export interface Referrer {
  registry: URL;
  ownReach: Reach;
}

/**
 * What is wrong with being referred from `from` to `to`, as the end of a sentence; undefined when nothing is.
 * Of the address only literal ones are judged here: names are judged where they are resolved.
 */
export function hopProblem(from: URL, to: URL, { registry, ownReach }: Referrer): string | undefined {
  if (to.protocol !== 'https:' && to.protocol !== 'http:') return `"${printable(to.protocol)}" is not http or https`;
  if (to.username !== '' || to.password !== '') return `${redactUrl(to)} has a user name in it`;
  if (from.protocol === 'https:' && to.protocol === 'http:') return `${redactUrl(to)} gives up https`;
  const reach = reachOf(to.hostname);
  if (to.origin === registry.origin || reach === undefined || mayRefer(ownReach, reach)) return undefined;
  return `${redactUrl(to)} lies on a private network or this machine`;
}
