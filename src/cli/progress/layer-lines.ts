import type { PullEvent } from '../../image/pull-event.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { shortDigest } from '../../oci/digest.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Output } from '../context.ts';
import { EXISTS, EXISTS_UNPACKED, NOT_STARTED, WAITING, layerStatus, retryStatus } from './layer-status.ts';
import type { LayerStatus } from './layer-status.ts';
import { progressBar } from './progress-bar.ts';
import { createTerminalLines } from './terminal-lines.ts';

/** One line per layer, in the order in which they are first heard of. */
export interface LayerLines {
  /** Tells the sizes of the layers. */
  expect: (layers: readonly Descriptor[]) => void;
  update: (event: PullEvent & { kind: 'layer' }) => void;
  /** Writes text below the layers' lines, which stay as they are. */
  print: (text: string) => void;
  /** Ends the countdown of retries. */
  stop: () => void;
}

interface Layer {
  status: LayerStatus;
  /** When and with how many bytes this status began: what an earlier try left does not count for the rate. */
  began: { at: number; current: number };
  drawnAt: number;
  /** When the next try is due, while it is waited for. */
  retryAt: number | undefined;
}

const REDRAW_INTERVAL = 100; // milliseconds between two amounts of one layer
const SECOND = 1000;

/** `now` is in milliseconds. */
export function createLayerLines(output: Output, now: () => number): LayerLines {
  const terminal = createTerminalLines(output);
  const layers = new Map<Digest, Layer>();
  const sizes = new Map<Digest, number>();
  let countdown: NodeJS.Timeout | undefined;

  const setStatus = (digest: Digest, next: LayerStatus, retryAt?: number): void => {
    const before = layers.get(digest);
    const status = before?.status === EXISTS && next.isFinal ? EXISTS_UNPACKED : next;
    if (before !== undefined && (!isNews(before.status, status) || isTooSoon(before, status, now()))) return;
    const isSame = before?.status.words === status.words;
    const began = isSame ? before.began : { at: now(), current: status.progress?.current ?? 0 };
    layers.set(digest, { status, began, drawnAt: now(), retryAt });
    const id = shortDigest(digest);
    if (output.isTerminal) terminal.set(id, `${id}: ${statusText(status, began)}`, status.isFinal);
    else if (status.progress === undefined && !isSame) output.write(`${id}: ${status.words}\n`);
  };
  const statusText = ({ words, progress }: LayerStatus, began: Layer['began']): string => {
    if (progress === undefined) return `${words} `;
    const done = progress.current - began.current;
    const elapsed = (now() - began.at) / SECOND;
    const secondsLeft = done > 0 && elapsed > 0 ? ((progress.total - progress.current) / done) * elapsed : undefined;
    return `${words} ${progressBar({ ...progress, secondsLeft }, output.columns())}`;
  };
  const countDown = (): void => {
    for (const [digest, { retryAt = 0 }] of layers) {
      if (retryAt > now()) setStatus(digest, retryStatus((retryAt - now()) / SECOND), retryAt);
    }
  };
  return {
    expect: (descriptors) => {
      for (const { digest, size } of descriptors) sizes.set(digest, size);
    },
    update: (event) => {
      const retryAt = event.state === 'retrying' ? now() + (event.seconds ?? 0) * SECOND : undefined;
      // On a terminal only: elsewhere it would be a line each second.
      if (retryAt !== undefined && output.isTerminal) countdown ??= setInterval(countDown, SECOND).unref();
      setStatus(event.digest, layerStatus(event, sizes.get(event.digest) ?? 0), retryAt);
      if (event.state !== 'downloading' || (event.current ?? 0) === 0) return;
      // Bytes are coming: who has not begun by now has to wait for a place.
      for (const [digest, { status }] of layers) if (status === NOT_STARTED) setStatus(digest, WAITING);
    },
    print: terminal.print,
    stop: () => clearInterval(countdown),
  };
}

/** A layer that stands in the manifest twice is heard of again when it is complete. */
function isNews(before: LayerStatus, next: LayerStatus): boolean {
  if (before.isFinal) return false;
  return before.words !== next.words || next.progress !== undefined || next.isFinal;
}

function isTooSoon({ status, drawnAt }: Layer, { words, progress }: LayerStatus, now: number): boolean {
  if (status.words !== words || progress === undefined) return false;
  return progress.current < progress.total && now - drawnAt < REDRAW_INTERVAL;
}
