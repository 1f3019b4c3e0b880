import type { LayerState } from '../../image/pull-event.ts';

/** What a layer's line says, in docker's words. */
export interface LayerStatus {
  words: string;
  /** Bytes, where there is an amount to show. */
  progress?: { current: number; total: number } | undefined;
  /** Nothing more is expected. */
  isFinal: boolean;
}

export const NOT_STARTED: LayerStatus = { words: 'Pulling fs layer', isFinal: false };
export const WAITING: LayerStatus = { words: 'Waiting', isFinal: false };

interface LayerNews {
  state: LayerState;
  /** Bytes. */
  current?: number | undefined;
  total?: number | undefined;
  seconds?: number | undefined;
}

/** `size` is the layer's, in bytes, for news that do not tell a total. */
export function layerStatus({ state, current = 0, total, seconds = 0 }: LayerNews, size: number): LayerStatus {
  const progress = { current, total: total ?? size };
  switch (state) {
    case 'waiting':
      return NOT_STARTED;
    case 'downloading':
      return { words: 'Downloading', progress, isFinal: false };
    case 'retrying':
      return retryStatus(seconds);
    case 'verifying':
      return { words: 'Verifying Checksum', isFinal: false };
    case 'downloaded':
      return { words: 'Download complete', isFinal: false };
    case 'extracting':
      return { words: 'Extracting', progress, isFinal: false };
    case 'complete':
      return { words: 'Pull complete', isFinal: true };
    case 'exists':
      return EXISTS;
  }
}

/** What is there may still have to be unpacked. */
export const EXISTS: LayerStatus = { words: 'Already exists', isFinal: false };
export const EXISTS_UNPACKED: LayerStatus = { ...EXISTS, isFinal: true };

/** `seconds` to the next try. */
export function retryStatus(seconds: number): LayerStatus {
  const whole = Math.ceil(seconds);
  return { words: `Retrying in ${whole} second${whole === 1 ? '' : 's'}`, isFinal: false };
}
