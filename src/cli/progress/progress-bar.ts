import { clockDuration } from '../human-duration.ts';
import { humanSize } from '../../human-size.ts';

export interface Amount {
  /** Bytes. */
  current: number;
  total: number;
  /** To the end at the present rate; `undefined` while there is no rate. */
  secondsLeft?: number | undefined;
}

const BAR_WIDTH = 50; // columns between the brackets, without the arrow's head
const MIN_COLUMNS_FOR_BAR = 111;
const MIN_COLUMNS_FOR_TIME = 51;

/**
 * A bar, the sizes and the time left, as much of them as fits: `[====>    ]  17.7MB/144.9MB 4s`; '' while there is no amount.
 * Source: RenderTUIProgress of https://github.com/moby/moby/blob/v29.0.0/client/pkg/jsonmessage/jsonmessage.go.
 */
export function progressBar({ current, total, secondsLeft }: Amount, columns: number): string {
  if (current <= 0 && total <= 0) return '';
  const currentText = humanSize(current, 4).padStart(8);
  if (total <= 0) return currentText;
  const filled = Math.min(Math.trunc(Math.trunc((current / total) * 100) / 2), BAR_WIDTH);
  const bar = `[${'='.repeat(filled)}>${' '.repeat(BAR_WIDTH - filled)}] `;
  const sizes = current > total ? currentText : `${currentText}/${humanSize(total, 4)}`;
  const showsTime = columns >= MIN_COLUMNS_FOR_TIME && filled < BAR_WIDTH && secondsLeft !== undefined;
  return `${columns >= MIN_COLUMNS_FOR_BAR ? bar : ''}${sizes}${showsTime ? ` ${clockDuration(secondsLeft)}` : ''}`;
}
